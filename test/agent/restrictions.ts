import { matchesGlob } from './glob.ts';
import type { StepRecord } from './step-record.ts';

/** Whether every restriction of the step lets the command through. */
export function isCommandAllowed(step: StepRecord, allowedWhenRestricted: boolean): boolean {
  return allowedWhenRestricted || !step.restrictions.some((restriction) => restriction.restricted);
}

/** Whether every restriction of the step lets the variable be set; warns where one does not. */
export function checkSettableVariable(step: StepRecord, name: string): boolean {
  const allowed = step.restrictions.every(
    ({ settableVariables }) => settableVariables?.some((pattern) => matchesGlob(name, pattern)) ?? true,
  );
  if (!allowed) {
    step.warning(`Setting variable '${name}' has been disabled by the task or build definition.`);
  }
  return allowed;
}
