"""Prints the GraphQL that W&B's own public client sends, as JSON by name, white space as one space: pip install wandb==0.22.3"""

import inspect
import json
import re

import wandb
from wandb.apis.public import history, runs
from wandb.sdk.artifacts._generated import operations
from wandb_gql import gql
from wandb_graphql.language.printer import print_ast


def written_in(method):
    return re.search(r'gql\(\s*"""(.*?)"""', inspect.getsource(method), re.S).group(1)


artifacts = {
    "RunOutputArtifacts": operations.RUN_OUTPUT_ARTIFACTS_GQL,
    "ArtifactMembershipByName": operations.ARTIFACT_MEMBERSHIP_BY_NAME_GQL,
    "ArtifactCreatedBy": operations.ARTIFACT_CREATED_BY_GQL,
    "FetchLinkedArtifacts": operations.FETCH_LINKED_ARTIFACTS_GQL,
    "FetchOrgInfoFromEntity": operations.FETCH_ORG_INFO_FROM_ENTITY_GQL,
    "LinkArtifact": operations.LINK_ARTIFACT_GQL,
    "AddAliases": operations.ADD_ALIASES_GQL,
    "DeleteAliases": operations.DELETE_ALIASES_GQL,
    "UpdateArtifact": operations.UPDATE_ARTIFACT_GQL,
}
queries = {
    "Runs": print_ast(runs._create_runs_query(lazy=False, with_internal_id=False, with_project_id=False)),
    "RunSampledHistory": written_in(runs.Run._sampled_history),
    "SampledHistoryPage": print_ast(history.SampledHistoryScan.QUERY),
    **{name: print_ast(gql(text)) for name, text in artifacts.items()},
}
print(json.dumps({"wandb": wandb.__version__, **{name: " ".join(text.split()) for name, text in queries.items()}}, indent=2))
