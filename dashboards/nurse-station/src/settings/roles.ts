// Which buttons a role is offered. No protection: the gateway records who did what, and anybody may change the role. Pure.

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

/** Whether a role is offered the button of a task. */
export function may(role: Role, task: Task): boolean {
  return tasks[role].includes(task);
}

/** Whether a word that was kept is a role. */
export function isRole(word: unknown): word is Role {
  return typeof word === 'string' && (roles as readonly string[]).includes(word);
}
