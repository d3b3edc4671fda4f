"""Data-parallel training with torchrun, on as many nodes and GPUs as there are: one process a GPU."""
import argparse
import json
import os

import mlflow
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def images(count, seed):
    """Made-up images of 16 x 16: ten patterns, each with noise."""
    patterns = torch.randn(10, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    numbers = torch.Generator().manual_seed(seed)
    labels = torch.randint(10, (count,), generator=numbers)
    return patterns[labels] + 2.5 * torch.randn(count, 1, 16, 16, generator=numbers), labels


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(16 * 8 * 8, 10),
    )


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--epochs', type=int, default=5)
    options.add_argument('--learning-rate', type=float, default=0.05)
    given = options.parse_args()

    has_gpu = torch.cuda.is_available()
    dist.init_process_group('nccl' if has_gpu else 'gloo')
    device = torch.device('cuda', int(os.environ['LOCAL_RANK'])) if has_gpu else torch.device('cpu')
    first = dist.get_rank() == 0
    torch.manual_seed(0)

    training = TensorDataset(*images(20_000, seed=1))
    sampler = DistributedSampler(training)
    batches = DataLoader(training, batch_size=64, sampler=sampler)
    held_back, labels = (tensor.to(device) for tensor in images(2_000, seed=2))
    model = DistributedDataParallel(network().to(device))
    optimizer = torch.optim.SGD(model.parameters(), lr=given.learning_rate)

    # One process alone tells. MLflow finds server, run name and commit in the environment that submit-pipeline made.
    if first:
        mlflow.set_experiment(os.environ.get('MLFLOW_EXPERIMENT_NAME', 'patterns'))
        mlflow.start_run()
        mlflow.log_params({'epochs': given.epochs, 'learning_rate': given.learning_rate, 'processes': dist.get_world_size()})
    for epoch in range(1, given.epochs + 1):
        sampler.set_epoch(epoch)
        model.train()
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs.to(device)), targets.to(device))
            loss.backward()
            optimizer.step()
        if not first:
            continue
        with torch.no_grad():
            right = (model.module(held_back).argmax(1) == labels).float().mean().item()
        for name, value in {'accuracy': right, 'loss': loss.item()}.items():
            mlflow.log_metric(name, value, step=epoch)
            print('slashtrain-metric', json.dumps({'name': name, 'value': round(value, 4), 'step': epoch}), flush=True)
    if first:
        mlflow.end_run()
    dist.destroy_process_group()


if __name__ == '__main__':
    main()
