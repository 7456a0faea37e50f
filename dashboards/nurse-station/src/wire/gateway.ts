// One gateway as this page calls it.

import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';

import { AlarmService } from './gen/ecmo/v1/alarm_service_pb';
import { DisplayService } from './gen/ecmo/v1/display_service_pb';
import { HistoryService } from './gen/ecmo/v1/history_service_pb';
import { OwnershipService } from './gen/ecmo/v1/ownership_service_pb';
import { PumpService } from './gen/ecmo/v1/pump_service_pb';
import { TreatmentService } from './gen/ecmo/v1/treatment_service_pb';

/** Longest wait for an answer; streams have none. */
export const CALL_MS = 2_000;

export interface Gateway {
  /** Where it is; also its name, as long as it has not said another one. */
  readonly url: string;
  readonly alarms: Client<typeof AlarmService>;
  readonly displays: Client<typeof DisplayService>;
  readonly history: Client<typeof HistoryService>;
  readonly owners: Client<typeof OwnershipService>;
  readonly pumps: Client<typeof PumpService>;
  readonly treatments: Client<typeof TreatmentService>;
}

/** The way to a gateway; what proves who acts goes with each call, while there is such a thing. */
export function transportTo(url: string, token: () => string): Transport {
  return createGrpcWebTransport({
    baseUrl: url,
    interceptors: [
      (next) => (request) => {
        const proof = token();
        if (proof !== '') request.header.set('authorization', `Bearer ${proof}`);
        return next(request);
      },
    ],
  });
}

export function gatewayAt(url: string, token: () => string = () => ''): Gateway {
  const transport = transportTo(url, token);
  return {
    url,
    alarms: createClient(AlarmService, transport),
    displays: createClient(DisplayService, transport),
    history: createClient(HistoryService, transport),
    owners: createClient(OwnershipService, transport),
    pumps: createClient(PumpService, transport),
    treatments: createClient(TreatmentService, transport),
  };
}
