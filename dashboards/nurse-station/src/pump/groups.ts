// In which order and under which heading the values of a pump stand. Pure.
import type { Value } from '../model/picture';

export type GroupName = 'flow' | 'pressure' | 'gas' | 'temperature' | 'patient' | 'device';

export interface Group {
  name: GroupName;
  values: Value[];
}

/** The first ones of each group, in the order in which people ask for them; others follow in the gateway's order. */
const order: readonly [GroupName, readonly string[]][] = [
  ['flow', ['flow.blood', 'pump.speed', 'pump.speed.set', 'flow.blood.indexed', 'pump.flow.set']],
  ['pressure', ['press.drain', 'press.pre', 'press.post', 'press.delta', 'press.aux']],
  ['gas', ['sat.drain', 'sat.post', 'sat.pre', 'gas.sweep', 'gas.fdo2', 'gas.sweep.set', 'gas.fdo2.set']],
  ['temperature', ['temp.return', 'temp.drain', 'heater.water', 'heater.set']],
  ['patient', ['pt.spo2', 'pt.abp.mean', 'pt.hr']],
  ['device', []],
];

/** The group of a parameter by the beginning of its id; what nobody knows stands with the device. */
export function groupOf(parameter: string): GroupName {
  if (/^(flow\.blood|pump\.)/.test(parameter)) return 'flow';
  if (parameter.startsWith('press.')) return 'pressure';
  if (/^(sat|gas|po2|pco2|ph)\.|^(hb|hct)$/.test(parameter)) return 'gas';
  if (/^(temp|heater)\./.test(parameter)) return 'temperature';
  return parameter.startsWith('pt.') ? 'patient' : 'device';
}

/** Every value, each in one group; groups without a value are left out. */
export function grouped(values: readonly Value[]): Group[] {
  return order
    .map(([name, first]) => {
      const own = values.filter((value) => groupOf(value.parameter) === name);
      const place = (value: Value): number => {
        const at = first.indexOf(value.parameter);
        return at < 0 ? first.length + own.indexOf(value) : at;
      };
      return { name, values: [...own].sort((a, b) => place(a) - place(b)) };
    })
    .filter((group) => group.values.length > 0);
}
