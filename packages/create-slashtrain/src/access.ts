/** How the workflow gets to the cluster: a stored kubeconfig, a runner within it, or a cloud that trusts GitHub's token. */
export const ways = ['kubeconfig', 'in-cluster', 'eks', 'gke', 'aks'] as const;
export type Way = (typeof ways)[number];

/** A step of a workflow file. */
export interface LoginStep {
  name: string;
  uses?: string;
  with?: Record<string, string | boolean>;
  env?: Record<string, string>;
  run?: string;
}

/** What signs a job in by OpenID Connect, so that no secret is stored. Each leaves KUBECONFIG for the steps after it. */
interface Cloud {
  steps: LoginStep[];
  /** What is left for a person, as one sentence. */
  todo: string;
}

const vars = (name: string): string => `\${{ vars.${name} }}`;

export const clouds: Readonly<Record<Exclude<Way, 'kubeconfig' | 'in-cluster'>, Cloud>> = {
  // https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html; its plugin, the aws program, is on GitHub's runners.
  eks: {
    steps: [
      {
        name: 'Sign in to AWS',
        uses: 'aws-actions/configure-aws-credentials@v5',
        with: { 'role-to-assume': vars('AWS_ROLE'), 'aws-region': vars('AWS_REGION') },
      },
      {
        name: 'Write a kubeconfig',
        env: { CLUSTER: vars('EKS_CLUSTER'), REGION: vars('AWS_REGION') },
        run: [
          'aws eks update-kubeconfig --region "$REGION" --name "$CLUSTER" --kubeconfig "$RUNNER_TEMP/kubeconfig"',
          'echo "KUBECONFIG=$RUNNER_TEMP/kubeconfig" >> "$GITHUB_ENV"',
          '',
        ].join('\n'),
      },
    ],
    todo: 'Set the variables AWS_ROLE (an IAM role that trusts this repository by OIDC and has an EKS access entry), AWS_REGION and EKS_CLUSTER.',
  },
  // https://github.com/google-github-actions/get-gke-credentials: with the plugin, whose tokens are made anew while a step waits.
  gke: {
    steps: [
      {
        name: 'Sign in to Google Cloud',
        uses: 'google-github-actions/auth@v3',
        with: { workload_identity_provider: vars('GOOGLE_PROVIDER'), service_account: vars('GOOGLE_SERVICE_ACCOUNT') },
      },
      {
        name: 'Install the plugin that signs in to the cluster',
        uses: 'google-github-actions/setup-gcloud@v3',
        with: { install_components: 'gke-gcloud-auth-plugin' },
      },
      {
        name: 'Write a kubeconfig',
        uses: 'google-github-actions/get-gke-credentials@v3',
        with: { cluster_name: vars('GKE_CLUSTER'), location: vars('GKE_LOCATION'), use_auth_provider: true },
      },
    ],
    todo: 'Set the variables GOOGLE_PROVIDER (a workload identity provider that trusts this repository), GOOGLE_SERVICE_ACCOUNT, GKE_CLUSTER and GKE_LOCATION.',
  },
  // https://learn.microsoft.com/azure/aks/kubelogin-authentication#azure-cli
  aks: {
    steps: [
      {
        name: 'Sign in to Azure',
        uses: 'azure/login@v2',
        with: {
          'client-id': vars('AZURE_CLIENT_ID'),
          'tenant-id': vars('AZURE_TENANT_ID'),
          'subscription-id': vars('AZURE_SUBSCRIPTION_ID'),
        },
      },
      { name: 'Install the plugin that signs in to the cluster', uses: 'azure/use-kubelogin@v1' },
      {
        name: 'Write a kubeconfig',
        env: { CLUSTER: vars('AKS_CLUSTER'), GROUP: vars('AKS_RESOURCE_GROUP') },
        run: [
          'az aks get-credentials --resource-group "$GROUP" --name "$CLUSTER" --file "$RUNNER_TEMP/kubeconfig"',
          'kubelogin convert-kubeconfig --login azurecli --kubeconfig "$RUNNER_TEMP/kubeconfig"',
          'echo "KUBECONFIG=$RUNNER_TEMP/kubeconfig" >> "$GITHUB_ENV"',
          '',
        ].join('\n'),
      },
    ],
    todo: 'Set the variables AZURE_CLIENT_ID (an application that trusts this repository by OIDC), AZURE_TENANT_ID, AZURE_SUBSCRIPTION_ID, AKS_RESOURCE_GROUP and AKS_CLUSTER.',
  },
};
