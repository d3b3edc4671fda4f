import { ActionError, messageOf } from '../../action/errors.ts';
import { isBusy, type HttpAnswer } from '../../registry/http.ts';

/** An answer that was read. */
export interface Answered {
  status: number;
  data: unknown;
}

type Stranger = 'sign-in' | 'page' | 'redirect';

/** Whether something that is not the API answered. An error page of a proxy says by its status what it is. */
export function strangerOf({ status, headers }: HttpAnswer, text: string): Stranger | undefined {
  const location = headers.location;
  if (status >= 300 && status < 400)
    return location !== undefined && /login|signin|sign-in|auth|dex|accounts/iu.test(location) ? 'sign-in' : 'redirect';
  const isPage = String(headers['content-type']).includes('html') || /^\s*<(!doctype|html)/iu.test(text);
  if (!isPage || status >= 400) return undefined;
  return /password|log\s?in|sign\s?in|dex|oauth/iu.test(text) ? 'sign-in' : 'page';
}

/** Says of an answer that is not the API's where it came from. */
export function noApi(what: string, stranger: Stranger, { headers }: HttpAnswer): ActionError {
  const place = headers.location === undefined ? '' : ` to ${headers.location.replace(/\?.*$/su, '').slice(0, 200)}`;
  const answered = stranger === 'redirect' || place !== '' ? `a redirect${place}` : 'a page (HTML)';
  if (stranger === 'sign-in') {
    return new ActionError(
      'permission',
      `${what} was answered with ${answered} on which to sign in, not by the API of Kubeflow Pipelines`,
      {
        remedy: 'set kfp-token, or a kfp-token-command that prints a token or a header such as "Cookie: authservice_session=…"',
      },
    );
  }
  return new ActionError('unreachable', `${what} was answered with ${answered}, not by the API of Kubeflow Pipelines`, {
    remedy: 'check kfp-url: the API is below it at /apis/v2beta1, such as https://kubeflow.example.com/pipeline',
  });
}

/** The JSON of an answer; of an error that is none, its words. */
export function parsed(what: string, { status }: HttpAnswer, text: string): unknown {
  if (text.trim() === '') return {};
  try {
    const data: unknown = JSON.parse(text);
    if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
    throw new TypeError('it is no object');
  } catch (error) {
    if (status >= 400) return { message: text.slice(0, 300) };
    throw new ActionError('unreachable', `${what} was answered with ${text.length} characters that are no JSON, or half of it`, {
      cause: error,
    });
  }
}

/** @throws ActionError with the server's words where it is no success */
export function orRefused(what: string, answer: Answered): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.data;
  throw refusal(what, answer);
}

export function refusal(what: string, { status, data }: Answered): ActionError {
  const { message, error_message: more } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const words = [message, more].find((one) => typeof one === 'string' && one !== '');
  const text = `${what} was answered with ${status}${typeof words === 'string' ? `: ${words.slice(0, 1000)}` : ''}`;
  if (status === 401 || status === 403) {
    return new ActionError('permission', text, {
      remedy:
        status === 401
          ? 'set kfp-token, or a kfp-token-command, which is asked again when a token has expired'
          : 'give the token the rights on runs, experiments and pipelines of the namespace (the role kubeflow-pipelines-edit)',
    });
  }
  if (status === 404) return new ActionError('not-found', text, { remedy: 'check kfp-url: the API is below it at /apis/v2beta1' });
  if (isBusy(status)) return new ActionError('unreachable', text);
  return new ActionError(status === 409 ? 'conflict' : 'manifest', text);
}

export function unreachable(what: string, error: unknown): ActionError {
  return new ActionError('unreachable', `${what} was not answered: ${messageOf(error)}`, {
    remedy: 'check kfp-url, and that this runner can reach it; kfp-service reaches it through the API server of its cluster',
    cause: error,
  });
}
