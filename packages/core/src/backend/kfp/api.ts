/**
 * What of the API's answers matters here
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/backend/api/v2beta1/swagger/kfp_api_single_file.swagger.json). Hostile.
 */
export interface ApiRun {
  run_id?: string;
  experiment_id?: string;
  display_name?: string;
  description?: string;
  created_at?: string;
  finished_at?: string;
  state?: string;
  error?: ApiError;
  /** Of a run that was made with its specification; of a version's, only the reference is told. */
  pipeline_spec?: unknown;
  pipeline_version_reference?: VersionReference;
  run_details?: { task_details?: ApiTask[] };
  state_history?: ApiState[];
}

export interface ApiTask {
  task_id?: string;
  display_name?: string;
  create_time?: string;
  start_time?: string;
  end_time?: string;
  state?: string;
  error?: ApiError;
  state_history?: ApiState[];
}

export interface ApiState {
  update_time?: string;
  state?: string;
  error?: ApiError;
}

export interface ApiError {
  code?: number;
  message?: string;
}

/** What {@link KfpClient.createRun} sends. */
export interface NewRun {
  display_name: string;
  description: string;
  experiment_id: string;
  pipeline_spec?: object;
  pipeline_version_reference?: VersionReference;
  runtime_config: { parameters?: object; pipeline_root?: string };
  service_account?: string;
}

export interface VersionReference {
  pipeline_id?: string;
  pipeline_version_id?: string;
}

export interface ApiPipelineVersion {
  pipeline_id?: string;
  pipeline_version_id?: string;
  name?: string;
  /** What older servers call the name. */
  display_name?: string;
  pipeline_spec?: unknown;
}

/** What {@link KfpClient.version} uploads. */
export interface NewVersion {
  pipelineId: string;
  name: string;
  description: string;
  /** The documents that `kfp` compiles, as YAML. */
  file: string;
}
