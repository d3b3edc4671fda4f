import { Octokit as Core } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import { retry } from '@octokit/plugin-retry';
import { restEndpointMethods } from '@octokit/plugin-rest-endpoint-methods';
import { throttling } from '@octokit/plugin-throttling';
import { wholeAnswers } from './whole.ts';

/** Octokit with what we need of it: @actions/github's without undici, and whole answers first, so that the others see what it throws. */
export const Octokit = Core.plugin(restEndpointMethods, paginateRest, wholeAnswers, throttling, retry);
export type Octokit = InstanceType<typeof Octokit>;
