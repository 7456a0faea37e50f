// One gateway as this page calls it.

import { type Client, createClient } from '@connectrpc/connect';
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

export function gatewayAt(url: string): Gateway {
  const transport = createGrpcWebTransport({ baseUrl: url });
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
