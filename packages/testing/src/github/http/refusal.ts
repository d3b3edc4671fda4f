/** An entry of `errors` in a 422: https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed */
export interface ValidationError {
  resource: string;
  code: 'missing' | 'missing_field' | 'invalid' | 'already_exists' | 'unprocessable' | 'custom';
  field?: string;
  message?: string;
}

/** Thrown by a route: becomes GitHub's error body. */
export class Refusal extends Error {
  readonly status: number;
  readonly errors: ValidationError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, details: { errors?: ValidationError[]; headers?: Record<string, string> } = {}) {
    super(message);
    this.status = status;
    this.errors = details.errors;
    this.headers = details.headers ?? {};
  }
}

/** What is not there, or not to be seen: https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#404-not-found-for-an-existing-resource */
export function notFound(): Refusal {
  return new Refusal(404, 'Not Found');
}

export function validationFailed(...errors: ValidationError[]): Refusal {
  return new Refusal(422, 'Validation Failed', { errors });
}

/** What GitHub's schema check says: a field is missing or of the wrong type. */
export function invalidRequest(...lines: string[]): Refusal {
  return new Refusal(422, `Invalid request.\n\n${lines.join('\n')}`);
}
