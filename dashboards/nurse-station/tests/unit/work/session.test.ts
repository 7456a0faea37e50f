// Tokens of a display: one for each gateway, kept from every other one, and gone when a person signs out.
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';

import { Session } from '../../../src/work/session';

const A = 'http://a';
const B = 'http://b';

const identity = {
  $typeName: 'ecmo.v1.Identity' as const,
  name: 'Ann',
  role: 2,
  breakGlass: false,
  idleS: 900,
  leftS: 900,
  allowed: ['AlarmService/PauseAudio'],
};

/** Two gateways; what they were asked, and one that refuses. */
function ward(heard: string, refusing: string): { session: Session; asked: string[] } {
  const asked: string[] = [];
  const session: Session = new Session({
    gateways: () => [A, B],
    heard: () => heard,
    people: (url) => ({
      signIn: ({ name }) => {
        asked.push(`in ${url} ${name ?? ''}`);
        if (url === refusing) return Promise.reject(new ConnectError('not right', Code.Unauthenticated));
        return Promise.resolve({ $typeName: 'ecmo.v1.SignInResponse', token: `token of ${url}`, identity });
      },
      signOut: () => {
        asked.push(`out ${url} ${session.token(url)}`);
        return Promise.reject(new ConnectError('gone', Code.Unavailable));
      },
      getIdentity: () => {
        const known = session.token(url) === '' ? {} : { identity };
        return Promise.resolve({
          $typeName: 'ecmo.v1.GetIdentityResponse',
          asked: true,
          hasPin: true,
          ...known,
        });
      },
    }),
  });
  return { session, asked };
}

test('a person signs in at every gateway, and each has a token of its own', async () => {
  const { session, asked } = ward(A, '');
  const outcome = await session.door.signIn('Ann', 'secret', false);
  expect(outcome).toMatchObject({ kind: 'ok', value: { name: 'Ann', asked: true } });
  expect(asked).toEqual(['in http://a Ann', 'in http://b Ann']);
  expect([session.token(A), session.token(B), session.token('http://c')]).toEqual([
    'token of http://a',
    'token of http://b',
    '',
  ]);
});

test('the gateway that is heard decides whether a person is in', async () => {
  const refused = await ward(B, B).session.door.signIn('Ann', 'wrong', false);
  expect(refused).toEqual({ kind: 'refused', why: 'not-allowed', detail: 'not right' });
  const outcome = await ward(A, B).session.door.signIn('Ann', 'secret', false);
  expect(outcome.kind).toBe('ok');
});

test('whoever signs out is out here, whatever a gateway answers', async () => {
  const { session, asked } = ward(A, '');
  await session.door.signIn('Ann', 'secret', false);
  expect(await session.door.who()).toMatchObject({ value: { name: 'Ann', hasPin: true } });
  await session.door.signOut();
  expect(asked.slice(2)).toEqual(['out http://a token of http://a', 'out http://b token of http://b']);
  expect(session.token(A)).toBe('');
  expect(await session.door.who()).toMatchObject({ value: { name: '', asked: true } });
});

test('without a gateway nobody is asked anything', async () => {
  expect(await ward('', '').session.door.who()).toMatchObject({ kind: 'refused', why: 'no-link' });
});
