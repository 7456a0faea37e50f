// Unit and digits of every parameter of the gateway, by its list: a unit test holds the two against each other. Pure.

/** Unit as a UCUM code, digits behind the point. */
export const parameterFacts = {
  'pump.speed': ['{rev}/min', 0],
  'pump.speed.set': ['{rev}/min', 0],
  'pump.flow.set': ['mL/min', 0],
  'flow.blood': ['mL/min', 0],
  'flow.blood.indexed': ['mL/kg/min', 0],
  'press.drain': ['mm[Hg]', 0],
  'press.pre': ['mm[Hg]', 0],
  'press.post': ['mm[Hg]', 0],
  'press.delta': ['mm[Hg]', 0],
  'press.aux': ['mm[Hg]', 0],
  'sat.drain': ['%', 0],
  'sat.pre': ['%', 0],
  'sat.post': ['%', 0],
  'po2.pre': ['mm[Hg]', 0],
  'po2.post': ['mm[Hg]', 0],
  'pco2.pre': ['mm[Hg]', 0],
  'pco2.post': ['mm[Hg]', 0],
  'ph.post': ['[pH]', 2],
  hb: ['g/dL', 1],
  hct: ['%', 0],
  'temp.drain': ['Cel', 1],
  'temp.return': ['Cel', 1],
  'heater.water': ['Cel', 1],
  'heater.set': ['Cel', 1],
  'gas.sweep': ['mL/min', 0],
  'gas.sweep.set': ['mL/min', 0],
  'gas.fdo2': ['%', 0],
  'gas.fdo2.set': ['%', 0],
  'gas.co2_exhaust': ['mm[Hg]', 0],
  'gas.pressure': ['kPa', 0],
  'air.bubble': ['{bool}', 0],
  'air.venous': ['{bool}', 0],
  'level.reservoir': ['{bool}', 0],
  'flow.acoustic_quality': ['%', 0],
  'motor.current': ['A', 2],
  'motor.torque': ['N.m', 3],
  'motor.power': ['W', 1],
  'power.mains': ['{bool}', 0],
  'battery.charge': ['%', 0],
  'battery.time_left': ['min', 0],
  'board.temp': ['Cel', 0],
  'pt.hr': ['/min', 0],
  'pt.pulse': ['/min', 0],
  'pt.spo2': ['%', 0],
  'pt.spo2.preductal': ['%', 0],
  'pt.spo2.postductal': ['%', 0],
  'pt.abp': ['mm[Hg]', 0],
  'pt.abp.sys': ['mm[Hg]', 0],
  'pt.abp.dia': ['mm[Hg]', 0],
  'pt.abp.mean': ['mm[Hg]', 0],
  'pt.cvp': ['mm[Hg]', 0],
  'pt.nirs.cerebral.l': ['%', 0],
  'pt.nirs.cerebral.r': ['%', 0],
  'pt.nirs.somatic': ['%', 0],
  'pt.temp.core': ['Cel', 1],
  'pt.weight': ['kg', 2],
} as const satisfies Record<string, readonly [unit: string, digits: number]>;

/** Id of a parameter. */
export type ParameterId = keyof typeof parameterFacts;

/** Digits of a parameter that is not in the list, and of one in another unit than its own. */
const DIGITS_UNKNOWN = 1;

/** Digits behind the point for a value of a parameter in a unit. */
export function digitsOf(parameter: string, unit: string): number {
  const facts = isParameter(parameter) ? parameterFacts[parameter] : undefined;
  return facts !== undefined && facts[0] === unit ? facts[1] : DIGITS_UNKNOWN;
}

/** Unit of a parameter as a UCUM code; empty for one that is not in the list. */
export function unitOf(parameter: string): string {
  return isParameter(parameter) ? parameterFacts[parameter][0] : '';
}

/** Whether the list has a parameter. */
export function isParameter(id: string): id is ParameterId {
  return Object.hasOwn(parameterFacts, id);
}
