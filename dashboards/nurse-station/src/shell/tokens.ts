// Every colour of the page, by theme, and which of them must be readable on which.

export type ThemeName = 'day' | 'dim' | 'night';

/** The themes in the order in which the button goes through them. */
export const themeNames: readonly ThemeName[] = ['dim', 'night', 'day'];

/** What marks a priority. `fill`/`ink` is the bright phase, `fillOff`/`inkOff` the other one: both can be read. */
export interface Signal {
  fill: string;
  ink: string;
  fillOff: string;
  inkOff: string;
  /** Frame and text on the surface. */
  edge: string;
}

export interface Tokens {
  /** Behind the tiles. */
  ground: string;
  /** A tile, a table. */
  surface: string;
  /** The head of a tile, a button, a field. */
  raised: string;
  /** Lines that only order: nobody must see them. */
  rule: string;
  /** Lines that must be seen: frames of buttons, the hatch of a gap. */
  edge: string;
  text: string;
  /** Labels, units, limits. */
  soft: string;
  /** A limit that a person changed, and other things to know that are no alarm. */
  notice: string;
  noticeFill: string;
  /** What is not known: data state and its words. */
  unknownFill: string;
  unknownInk: string;
  /** Not connected, no sound. */
  bannerFill: string;
  bannerInk: string;
  focus: string;
  flow: string;
  venous: string;
  arterial: string;
  high: Signal;
  medium: Signal;
  low: Signal;
}

const dark = {
  bannerFill: '#B00000',
  bannerInk: '#FFFFFF',
  focus: '#FFFFFF',
  high: { fill: '#FF2D2D', ink: '#000000', fillOff: '#7A0000', inkOff: '#FFFFFF', edge: '#FF5A5A' },
  medium: { fill: '#FFD400', ink: '#000000', fillOff: '#5C4A00', inkOff: '#FFFFFF', edge: '#FFD400' },
  low: { fill: '#3FD0E0', ink: '#000000', fillOff: '#3FD0E0', inkOff: '#000000', edge: '#3FD0E0' },
} as const;

const dim: Tokens = {
  ...dark,
  ground: '#05070A',
  surface: '#0C1116',
  raised: '#11171E',
  rule: '#232C36',
  edge: '#5A6570',
  text: '#E8EEF4',
  soft: '#A3AFBC',
  notice: '#CDB4FF',
  noticeFill: '#33254F',
  unknownFill: '#39434D',
  unknownInk: '#FFFFFF',
  flow: '#E8EEF4',
  venous: '#8FB4FF',
  arterial: '#F2A6C8',
};

const night: Tokens = {
  ...dark,
  ground: '#000000',
  surface: '#000000',
  raised: '#0B0E12',
  rule: '#171C22',
  edge: '#5A6570',
  text: '#8A949E',
  soft: '#7A848E',
  notice: '#8F7FB5',
  noticeFill: '#140F20',
  unknownFill: '#20262C',
  unknownInk: '#AEB8C2',
  focus: '#D0D8E0',
  // The traces of the dim theme at some 60 %, and no darker than their numbers can be read.
  flow: '#8B8F92',
  venous: '#637CB0',
  arterial: '#A06F86',
};

const day: Tokens = {
  ...dark,
  ground: '#D5DCE3',
  surface: '#FFFFFF',
  raised: '#E6EBF0',
  rule: '#C3CCD5',
  edge: '#5A6570',
  text: '#0A1016',
  soft: '#414D59',
  notice: '#5B21B6',
  noticeFill: '#E9DDFF',
  unknownFill: '#39434D',
  unknownInk: '#FFFFFF',
  focus: '#0B3D91',
  flow: '#0A1016',
  venous: '#1D4ED8',
  arterial: '#A21C6B',
  high: { ...dark.high, edge: '#B00000' },
  medium: { ...dark.medium, edge: '#7A5F00' },
  low: { ...dark.low, edge: '#0B6C78' },
};

export const themes: Readonly<Record<ThemeName, Tokens>> = { day, dim, night };

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The CSS custom properties of a theme: `--text`, `--high-fill-off`, ... */
export function variables(tokens: Tokens): [string, string][] {
  return Object.entries(tokens).flatMap(([name, value]: [string, string | Signal]) =>
    typeof value === 'string'
      ? [[`--${kebab(name)}`, value] as [string, string]]
      : Object.entries(value).map(
          ([part, colour]) => [`--${name}-${kebab(part)}`, colour as string] as [string, string],
        ),
  );
}

/** One pair of colours that stand on each other, and the least contrast that it may have. */
export interface Pair {
  what: string;
  ink: string;
  on: string;
  least: number;
}

/** Text needs 4.5; what is not text but must be seen needs 3; what is read from four metres gets more. */
export function pairs(t: Tokens): Pair[] {
  const text = (what: string, ink: string, on: string): Pair => ({ what, ink, on, least: 4.5 });
  const shape = (what: string, ink: string, on: string): Pair => ({ what, ink, on, least: 3 });
  const grounds = [t.ground, t.surface, t.raised];
  const signals = [
    ['high', t.high],
    ['medium', t.medium],
    ['low', t.low],
  ] as const;
  return [
    ...grounds.map((on) => ({ ...text('text', t.text, on), least: 6 })),
    ...grounds.map((on) => text('soft', t.soft, on)),
    ...grounds.map((on) => text('notice', t.notice, on)),
    text('notice on its fill', t.notice, t.noticeFill),
    text('unknown', t.unknownInk, t.unknownFill),
    text('banner', t.bannerInk, t.bannerFill),
    ...grounds.map((on) => shape('focus', t.focus, on)),
    shape('hatch', t.edge, t.surface),
    shape('edge of a button', t.edge, t.raised),
    ...[t.flow, t.venous, t.arterial].map((ink) => text('trace and its number', ink, t.surface)),
    ...signals.flatMap(([name, signal]) => [
      text(`${name}, bright phase`, signal.ink, signal.fill),
      text(`${name}, other phase`, signal.inkOff, signal.fillOff),
      text(`${name}, as text`, signal.edge, t.surface),
      text(`${name}, as text on a head`, signal.edge, t.raised),
    ]),
  ];
}
