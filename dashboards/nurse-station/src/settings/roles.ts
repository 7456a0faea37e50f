// Which buttons a person is offered: what the gateway allows where it asks who they are; else those of a role that anybody may
// choose, which protects nothing. Pure.

/** Who stands at the display. */
export const roles = ['viewer', 'nurse', 'perfusionist', 'biomedical'] as const;
export type Role = (typeof roles)[number];

/** What a button does. */
export type Task =
  'acknowledge' | 'pause' | 'shelve' | 'own' | 'context' | 'bed' | 'limit' | 'case' | 'test-sound';

const tasks: Readonly<Record<Role, readonly Task[]>> = {
  viewer: [],
  nurse: ['acknowledge', 'pause', 'shelve', 'own', 'context', 'bed', 'test-sound'],
  perfusionist: ['acknowledge', 'pause', 'shelve', 'own', 'context', 'bed', 'limit', 'case', 'test-sound'],
  biomedical: ['bed', 'test-sound'],
};

/** The call behind a button; none for what only this display does. */
const calls: Readonly<Record<Task, string | null>> = {
  acknowledge: 'AlarmService/AcknowledgeAlarm',
  pause: 'AlarmService/PauseAudio',
  shelve: 'AlarmService/ShelveAlarm',
  own: 'OwnershipService/AcceptPump',
  context: 'TreatmentService/StartContext',
  bed: 'OwnershipService/AssignBed',
  limit: 'TreatmentService/SetLimit',
  case: 'TreatmentService/ChangeCase',
  'test-sound': null,
};

/** Whether the gateway allows the call behind a button. */
export function isAllowed(allowed: readonly string[], task: Task): boolean {
  const call = calls[task];
  return call === null || allowed.includes(call);
}

/** Whether a role is offered the button of a task. */
export function may(role: Role, task: Task): boolean {
  return tasks[role].includes(task);
}

/** Whether a word that was kept is a role. */
export function isRole(word: unknown): word is Role {
  return typeof word === 'string' && (roles as readonly string[]).includes(word);
}
