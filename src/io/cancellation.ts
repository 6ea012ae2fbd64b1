import { ScopedTokenError } from '../errors.ts';

/** The step was cancelled by the agent. */
export function cancellation(): ScopedTokenError {
  return new ScopedTokenError('CANCELLED', {
    happened: 'The step was cancelled before it was done.',
    next: 'Nothing to do: no variable was set.',
  });
}
