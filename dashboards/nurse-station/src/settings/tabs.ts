// Which part of the settings an address means: "limits:WARD/PUMP". Pure.

export const tabs = ['beds', 'limits', 'display', 'sound', 'roles', 'about'] as const;
export type TabName = (typeof tabs)[number];

/** The tab and, for limits, the pump; the first tab for all that is not known. */
export function tabOf(text: string): { tab: TabName; pump: string } {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const tab = tabs.find((each) => each === name) ?? 'beds';
  return { tab, pump: colon < 0 ? '' : text.slice(colon + 1) };
}
