// Which values stand together in a trend: few in one plot, by the question that they answer. Pure.

export type QuestionName = 'inflow' | 'oxygenator' | 'gas' | 'patient' | 'temperature' | 'power';

/** One plot: values of one unit, so that one axis tells the truth. */
export interface Plot {
  parameters: readonly string[];
}

export interface Question {
  name: QuestionName;
  plots: readonly Plot[];
}

const plot = (...parameters: string[]): Plot => ({ parameters });

export const questions: readonly Question[] = [
  { name: 'inflow', plots: [plot('flow.blood'), plot('pump.speed'), plot('press.drain')] },
  { name: 'oxygenator', plots: [plot('press.pre', 'press.post'), plot('press.delta'), plot('flow.blood')] },
  { name: 'gas', plots: [plot('sat.post', 'sat.drain'), plot('gas.sweep'), plot('gas.fdo2')] },
  {
    name: 'patient',
    plots: [
      plot('pt.spo2', 'pt.spo2.preductal', 'pt.spo2.postductal'),
      plot('pt.abp.mean', 'pt.abp'),
      plot('pt.hr'),
    ],
  },
  { name: 'temperature', plots: [plot('temp.return', 'temp.drain', 'heater.water')] },
  { name: 'power', plots: [plot('battery.charge'), plot('battery.time_left'), plot('motor.current')] },
];

/** Every parameter of a question, each once. */
export function parametersOf(question: Question): string[] {
  return [...new Set(question.plots.flatMap((each) => each.parameters))];
}

/** Hours that may be shown; a shift is what people ask for most. */
export const spans = [1, 4, 12, 24, 72] as const;
export type Span = (typeof spans)[number];
export const usualSpan: Span = 12;

/** The question of a name; the first for all that is not known. */
export function questionOf(name: string): Question {
  const found = questions.find((each) => each.name === name);
  const first = questions[0];
  if (found !== undefined) return found;
  if (first === undefined) throw new Error('there is no question');
  return first;
}
