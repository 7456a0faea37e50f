// What the gateway says of itself: what is wrong in it is left out.

import { describe, expect, it } from 'vitest';

import { readSettings } from '../../../src/wire/settings';

const OWN = 'http://10.0.0.1:8080';

describe('the settings', () => {
  it('name the own gateway first, then the others, each once', () => {
    const told = {
      gateway: 'a',
      gateways: ['http://10.0.0.2:8080/x', OWN, 'http://10.0.0.2:8080'],
      staleMs: 5_000,
      build: 'b1',
      contract: '00ff',
    };
    expect(readSettings(told, OWN)).toEqual({
      gateway: 'a',
      gateways: [OWN, 'http://10.0.0.2:8080'],
      ward: '',
      staleMs: 5_000,
      build: 'b1',
      contract: '00ff',
    });
  });

  it('that say nothing of use leave the own gateway', () => {
    for (const told of [
      null,
      7,
      [],
      { gateways: 'x' },
      { gateways: [7, 'ftp://x', 'javascript:alert(1)', ''] },
      { build: null },
      { contract: 7 },
      { staleMs: 1_999 },
      { staleMs: 10_001 },
    ]) {
      expect(readSettings(told, OWN)).toEqual({
        gateway: '',
        gateways: [OWN],
        ward: '',
        staleMs: 3_000,
        build: null,
        contract: null,
      });
    }
  });

  it('name no more gateways than a page can try', () => {
    const gateways = Array.from({ length: 40 }, (_, at) => `http://10.0.0.${String(at + 2)}`);
    expect(readSettings({ gateways }, OWN).gateways.length).toBe(4);
  });
});
