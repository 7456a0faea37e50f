// The tokens of this display, one for each gateway: in the worker's memory alone, where no script of a page can read them.

import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';

import type { Outcome } from '../act/act';
import type { Door, Who } from '../act/door';
import { failureOf } from '../act/doer';
import { CALL_MS, type Gateway, gatewayAt, transportTo } from '../wire/gateway';
import { type Identity, PeopleService } from '../wire/gen/ecmo/v1/people_service_pb';

const OPTIONS = { timeoutMs: CALL_MS };

type People = Pick<Client<typeof PeopleService>, 'signIn' | 'signOut' | 'getIdentity'>;

interface SessionSetting {
  /** Addresses of every gateway that is known. */
  gateways: () => string[];
  /** The one that is heard. */
  heard: () => string;
  people?: (url: string) => People;
}

export class Session {
  readonly door: Door;
  private readonly tokens = new Map<string, string>();
  private readonly people: (url: string) => People;

  constructor(private readonly setting: SessionSetting) {
    this.people =
      setting.people ??
      ((url) =>
        createClient(
          PeopleService,
          transportTo(url, () => this.token(url)),
        ));
    this.door = {
      signIn: (name, secret, byPin) => this.signIn(name, secret, byPin),
      signOut: () => this.signOut(),
      who: () => this.who(),
    };
  }

  /** What proves to a gateway who acts; empty while nothing does. */
  token(url: string): string {
    return this.tokens.get(url) ?? '';
  }

  /** A gateway whose calls carry what proves who acts there, and nowhere else. */
  gatewayAt(url: string): Gateway {
    return gatewayAt(url, () => this.token(url));
  }

  private async signIn(name: string, secret: string, byPin: boolean): Promise<Outcome<Who>> {
    const heard = this.setting.heard();
    const each = await Promise.all(
      this.setting
        .gateways()
        .map(async (url) => [url, await this.signInAt(url, name, secret, byPin)] as const),
    );
    const outcome = each.find(([url]) => url === heard)?.[1] ?? each[0]?.[1];
    return outcome ?? { kind: 'refused', why: 'no-link', detail: '' };
  }

  private async signInAt(url: string, name: string, secret: string, byPin: boolean): Promise<Outcome<Who>> {
    try {
      const proof = { case: byPin ? 'pin' : 'password', value: secret } as const;
      const { token, identity } = await this.people(url).signIn({ name, proof }, OPTIONS);
      this.tokens.set(url, token);
      return { kind: 'ok', value: whoOf(true, byPin, identity), durable: true };
    } catch (error) {
      return failureOf(error);
    }
  }

  private async signOut(): Promise<Outcome> {
    const urls = [...this.tokens.keys()];
    const said = urls.map((url) =>
      this.people(url)
        .signOut({}, OPTIONS)
        .catch(() => undefined),
    );
    await Promise.all(said);
    // Whatever a gateway answers, this display no longer holds what proves anything.
    this.tokens.clear();
    return { kind: 'ok', value: undefined, durable: true };
  }

  private async who(): Promise<Outcome<Who>> {
    const url = this.setting.heard();
    if (url === '') return { kind: 'refused', why: 'no-link', detail: '' };
    try {
      const { asked, hasPin, identity } = await this.people(url).getIdentity({}, OPTIONS);
      return { kind: 'ok', value: whoOf(asked, hasPin, identity), durable: true };
    } catch (error) {
      // A gateway of before asks nobody.
      if (ConnectError.from(error).code === Code.Unimplemented)
        return { kind: 'ok', value: whoOf(false, false, undefined), durable: true };
      return failureOf(error);
    }
  }
}

function whoOf(asked: boolean, hasPin: boolean, identity: Identity | undefined): Who {
  const { name = '', breakGlass = false, allowed = [] } = identity ?? {};
  return { asked, hasPin, name, breakGlass, allowed: [...allowed] };
}
