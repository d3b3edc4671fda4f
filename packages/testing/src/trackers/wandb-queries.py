"""Prints the GraphQL that W&B's own public client sends, as JSON by name, white space as one space: pip install wandb==0.22.3"""

import inspect
import json
import re

import wandb
from wandb.apis.public import history, runs
from wandb_graphql.language.printer import print_ast


def written_in(method):
    return re.search(r'gql\(\s*"""(.*?)"""', inspect.getsource(method), re.S).group(1)


queries = {
    "Runs": print_ast(runs._create_runs_query(lazy=False, with_internal_id=False, with_project_id=False)),
    "RunSampledHistory": written_in(runs.Run._sampled_history),
    "SampledHistoryPage": print_ast(history.SampledHistoryScan.QUERY),
}
print(json.dumps({"wandb": wandb.__version__, **{name: " ".join(text.split()) for name, text in queries.items()}}, indent=2))
