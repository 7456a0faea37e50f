// What the gateway that serves the page says of itself and of the other one.

export interface Settings {
  /** Name of the gateway that serves the page; empty when it does not say. */
  gateway: string;
  /** Addresses: the page's own origin first, then what the gateway names as the others. */
  gateways: string[];
  /** Ward that this display shows; empty for all. */
  ward: string;
  /** A value that is older is not shown, in ms. */
  staleMs: number;
  /** Build of the page that the gateway serves now; null when it does not say. */
  build: string | null;
  /** Digest of the messages that the gateway speaks; null when it does not say. */
  contract: string | null;
}

/** Most gateways that a page knows. */
const GATEWAYS_MAX = 4;

const WAIT_MS = 1_000;

/** What a site may choose as the age at which a value is withdrawn, and what counts when it has not chosen. */
const STALE_MIN_MS = 2_000;
const STALE_MAX_MS = 10_000;
const STALE_MS = 3_000;

/** Null when the gateway could not be asked; one that has no such file is alone. */
export async function fetchSettings(origin: string, page: string): Promise<Settings | null> {
  try {
    const answer = await fetch(new URL('/ui/settings.json', page), {
      cache: 'no-store',
      signal: AbortSignal.timeout(WAIT_MS),
    });
    return answer.ok ? readSettings(await answer.json(), origin) : ownOnly(origin);
  } catch {
    return null;
  }
}

export function ownOnly(origin: string): Settings {
  return { gateway: '', gateways: [origin], ward: '', staleMs: STALE_MS, build: null, contract: null };
}

/** Reads the file; what is not as it should be is left out. */
export function readSettings(value: unknown, origin: string): Settings {
  const of = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const text = (key: string): string => (typeof of[key] === 'string' ? of[key] : '');
  const told = Array.isArray(of['gateways']) ? of['gateways'] : [];
  const urls = told.map((one) => addressOf(one, origin)).filter((one) => one !== null);
  const gateways = [...new Set([origin, ...urls])].slice(0, GATEWAYS_MAX);
  const chosen = of['staleMs'];
  const isPossible = typeof chosen === 'number' && chosen >= STALE_MIN_MS && chosen <= STALE_MAX_MS;
  const staleMs = isPossible ? chosen : STALE_MS;
  return {
    gateway: text('gateway'),
    gateways,
    ward: text('ward'),
    staleMs,
    build: text('build') || null,
    contract: text('contract') || null,
  };
}

function addressOf(value: unknown, origin: string): string | null {
  if (typeof value !== 'string' || !URL.canParse(value, origin)) return null;
  const url = new URL(value, origin);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : null;
}
