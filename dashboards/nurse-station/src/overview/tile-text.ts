// What a tile says of its pump in words: where it stands, whose it is, whether its data is of now.
import type { ContextName, ContextPicture, DataState, Tile } from '../model/picture';
import { countdownText } from '../words/format';
import { say } from '../words/say';
import type { PlainKey } from '../words/lookup';

/** The bed, or the pump where nobody has said which. */
export function nameText(tile: Tile): string {
  return tile.bed === '' ? tile.pump : say('tile.bed', { bed: tile.bed });
}

const dataKeys: Readonly<Record<DataState, PlainKey>> = {
  live: 'value.live',
  late: 'value.late',
  stale: 'value.stale',
  silent: 'value.stale',
  stopped: 'reason.stopped',
  'never-seen': 'value.never_seen',
  unheard: 'reason.not_connected',
};

/** The word for where the data of a pump stands. */
export function dataText(tile: Tile): string {
  return say(dataKeys[tile.data]);
}

/** Who looks after it, or that nobody does. */
export function ownerText(tile: Tile): string {
  const { owner, offeredTo, offerLeftMs, unanswered } = tile.ownership;
  if (unanswered) return say('tile.unanswered');
  if (offeredTo !== '') {
    const time = offerLeftMs === null ? '' : countdownText(offerLeftMs);
    return say('tile.offered', { name: offeredTo, time }).trim();
  }
  return owner === '' ? say('tile.no_owner') : owner;
}

/** Whether what the tile shows is of now. */
export function isHeard(tile: Tile): boolean {
  return tile.data === 'live' || tile.data === 'late';
}

const contextKeys: Readonly<Record<Exclude<ContextName, 'other'>, PlainKey>> = {
  priming: 'context.priming',
  cannulation: 'context.cannulation',
  'clamp-trial': 'context.clamp_trial',
  wean: 'context.wean',
  'circuit-change': 'context.circuit_change',
  transport: 'context.transport',
  suctioning: 'context.suctioning',
  zeroing: 'context.zeroing',
};

/** A declared context with what is left of it. One that this page does not know is shown as what it is: another. */
export function contextText(context: ContextPicture): string {
  const name = context.kind === 'other' ? '?' : say(contextKeys[context.kind]);
  return context.leftMs === null ? name : `${name} ${countdownText(context.leftMs)}`;
}
