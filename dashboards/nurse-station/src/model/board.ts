// Makes the picture of now from the screen: rows, tiles, bar, link and sound together, so that no part contradicts another.

import { alarmRow } from './alarm';
import { barOf } from './bar';
import { ms } from './clock';
import { HistoryLines } from './history';
import type { AlarmRow, History, LinkPicture, LocalNotice, Picture, Priority, Tile } from './picture';
import { Places } from './places';
import type { PumpView } from './pump';
import { compare, isOwn, type Row } from './row';
import type { Screen } from './screen';
import { Sounds } from './sound';
import { tileOf } from './tile';
import type { Treatment } from './treatment';
import { Rhythm } from './reading';
import { type Whole, WholeState } from './whole';

/** A computer whose wall clock differs from the gateway's by more is told. */
const OWN_CLOCK_OFF_MS = 5_000;

/** A wall clock that was last heard of longer ago is shown no more. */
const WALL_MAX_MS = 10_000;

/** What the board is told beside what the gateways say. */
export interface Around {
  /** This computer's wall clock, ms since 1970: for one notice only. */
  ownWallMs: number;
  /** Name of the gateway of a link. */
  name: (link: number) => string;
  /** The gateway that is tried next; null when there is one only. */
  other: string | null;
  mismatch: LinkPicture['mismatch'];
  notices: LocalNotice[];
}

export class Board {
  readonly rhythm = new Rhythm();
  readonly history = new HistoryLines();
  private readonly places = new Places();
  private readonly whole = new WholeState();
  private readonly sounds = new Sounds();
  private readonly treatments = new Map<string, { treatment: Treatment; at: number }>();
  private readonly since = new Map<string, number>();
  private lossAcknowledged = false;
  private lostAtWall: number | null = null;
  private before: Whole['state'] = 'connecting';

  /** The treatment of a pump as a gateway told it at `local`. */
  setTreatment(treatment: Treatment, local: number): void {
    this.treatments.set(`${treatment.ward}/${treatment.pump}`, { treatment, at: local });
  }

  /** Whether the treatment that a pump is judged by is known. */
  knowsTreatment(key: string, version: number): boolean {
    return this.treatments.get(key)?.treatment.version === version;
  }

  /** A person has acknowledged, here, that the gateway is lost. */
  acknowledgeLoss(): void {
    this.lossAcknowledged = true;
  }

  picture(screen: Screen, around: Around, local: number): Picture {
    screen.tick(local);
    const whole = this.whole.at(screen, around.mismatch !== null, local);
    const wallMs = wallOf(screen, whole.link, local);
    this.noteLink(whole, wallMs, around);
    const views = screen.pumps();
    const beds = new Map(views.map(({ pump }) => [`${pump.ward}/${pump.pump}`, pump.ownership?.bed ?? '']));
    const toRow = (row: Row): AlarmRow => this.toRow(screen, row, beds, around, local);
    this.noteChanges(screen, toRow, wallMs);
    const alarms = screen.rows().map(toRow);
    const tiles = this.tiles(screen, views, alarms, around, local);
    const unlisted: LocalNotice[] = screen.changesLost > 0 ? [{ kind: 'unlisted', priority: 'medium' }] : [];
    return {
      atMs: local,
      link: this.link(whole, wallMs, around),
      bar: barOf(tiles, alarms, screen, whole),
      tiles,
      alarms,
      sound: this.sounds.at(alarms, whole, this.lossAcknowledged),
      local: [...around.notices, ...unlisted],
      staleMs: screen.staleMs,
      historyVersion: this.history.version,
    };
  }

  /** The rows of now, as they are painted. */
  rowsOf(screen: Screen, around: Around, local: number): AlarmRow[] {
    return screen.rows().map((row) => this.toRow(screen, row, new Map<string, string>(), around, local));
  }

  historyOf(screen: Screen, around: Around, local: number): History {
    const missed = screen.missed.map(({ link, alarm, unheard }) => {
      const key = `missed/${alarm.occurrence}`;
      const told = [{ link, occurrence: alarm.occurrence, revision: alarm.revision, call: alarm.call }];
      const row: Row = { key, alarm, link, unheard: false, told, calls: alarm.call };
      return { row: this.toRow(screen, row, new Map<string, string>(), around, local), unheard };
    });
    const { version } = this.history;
    return { version, lines: this.history.all(), missed, missedIncomplete: screen.missedIncomplete };
  }

  private toRow(
    screen: Screen,
    row: Row,
    beds: ReadonlyMap<string, string>,
    around: Around,
    local: number,
  ): AlarmRow {
    const now = screen.links[row.link]?.alarms.clock.now(local) ?? null;
    const bed = isOwn(row.alarm) ? '' : (beds.get(`${row.alarm.ward}/${row.alarm.pump}`) ?? '');
    return alarmRow(row, { now, bed, name: around.name });
  }

  private tiles(
    screen: Screen,
    views: readonly PumpView[],
    alarms: readonly AlarmRow[],
    around: Around,
    local: number,
  ): Tile[] {
    const named = views.map((view) => {
      const { ward, pump, ownership } = view.pump;
      return { view, key: `${ward}/${pump}`, bed: ownership?.bed ?? '' };
    });
    const places = this.places.of(named);
    const alarmsKnown = screen.isKnown();
    const tiles = named.map(({ view, key }) => {
      const known = this.treatments.get(key);
      const isOf = known?.treatment.version === Number(view.pump.treatmentVersion);
      if (!this.since.has(key)) this.since.set(key, local);
      return tileOf(view, {
        place: places.get(key) ?? 0,
        alarms: newestFirst(alarms.filter((row) => row.pump !== '' && `${row.ward}/${row.pump}` === key)),
        alarmsKnown,
        treatment: known !== undefined && isOf ? known.treatment : null,
        treatmentAgeMs: known === undefined ? 0 : local - known.at,
        rhythm: this.rhythm,
        staleMs: screen.staleMs,
        gateway: around.name(view.link),
        waitingMs: local - (this.since.get(key) ?? local),
      });
    });
    return tiles.sort((one, other) => one.place - other.place);
  }

  private link(whole: Whole, wallMs: number | null, around: Around): LinkPicture {
    const off = wallMs === null ? 0 : around.ownWallMs - wallMs;
    return {
      state: whole.state,
      sinceMs: whole.sinceMs,
      why: whole.why,
      gateway: around.name(whole.link),
      other: around.other,
      wallMs,
      lostAtWallMs: this.lostAtWall,
      silenceMs: whole.silenceMs,
      delayMs: whole.delayMs,
      lossAcknowledged: this.lossAcknowledged,
      ownClockOffMs: Math.abs(off) > OWN_CLOCK_OFF_MS ? off : null,
      mismatch: around.mismatch,
    };
  }

  private noteLink(whole: Whole, wallMs: number | null, around: Around): void {
    const { state } = whole;
    const isLost = state === 'lost';
    if (isLost && this.before !== 'lost') {
      this.lostAtWall = wallMs === null ? null : wallMs - whole.sinceMs;
      this.history.add({
        what: 'link-lost',
        wallMs: this.lostAtWall,
        row: null,
        by: around.name(whole.link),
      });
    }
    if (!isLost && state !== 'connecting') {
      if (this.before === 'lost') {
        this.history.add({ what: 'link-back', wallMs, row: null, by: around.name(whole.link) });
      }
      this.lostAtWall = null;
      this.lossAcknowledged = false;
    }
    if (state === 'changed' && this.before !== 'changed') {
      this.history.add({ what: 'gateway-changed', wallMs, row: null, by: around.name(whole.link) });
    }
    this.before = state;
  }

  private noteChanges(screen: Screen, toRow: (row: Row) => AlarmRow, wallMs: number | null): void {
    for (const change of screen.takeChanges()) this.history.addChange(change, toRow(change.row), wallMs);
  }
}

/** In a tile, of two that are alike urgent the newer one comes first. */
function newestFirst(rows: AlarmRow[]): AlarmRow[] {
  const order = ({ priority, signals, onsetWallMs }: AlarmRow): number[] => [
    priority === 'information' ? 1 : 0,
    signals ? 0 : 1,
    PRIORITIES.indexOf(priority),
    -onsetWallMs,
  ];
  return rows.sort((one, other) => compare(order(one), order(other)));
}

const PRIORITIES: Priority[] = ['high', 'medium', 'low', 'information'];

/** The gateway's wall clock now, by its newest heartbeat; a label. */
function wallOf(screen: Screen, link: number, local: number): number | null {
  const of = screen.links[link];
  const now = of?.alarms.clock.now(local) ?? null;
  const beat = of?.heartbeat ?? null;
  if (beat === null || now === null) return null;
  const ageMs = Math.max(0, now - beat.at);
  return ageMs > WALL_MAX_MS ? null : ms(beat.wallNs) + ageMs;
}
