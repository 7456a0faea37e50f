// One plot with uPlot: bands, middle lines, limits, hatched gaps, alarm marks. Draws on a canvas; the table says the same.
import uPlot from 'uplot';

import type { TrendAnswer, TrendSeries } from '../model/trend';
import type { Tokens } from '../shell/tokens';
import { limitNumber, minuteText } from '../words/format';
import type { Language } from '../words/lookup';

import { commonGaps, isolatedBins, plotData, type Gap, type PlotData } from './data';

export interface LimitLine {
  value: number;
  changed: boolean;
}

export interface ChartOptions {
  answer: TrendAnswer;
  series: readonly TrendSeries[];
  limits: readonly LimitLine[];
  tokens: Tokens;
  language: Language;
  width: number;
  height: number;
  label: string;
}

const AXIS_PX = 56;
const HATCH_PX = 7;
const FONT = "12px 'Inter Variable', sans-serif";

/** A limit that is farther away than this share of the numbers is left out: it would make the trend flat. */
const LIMIT_REACH = 0.9;

/** Colours of the lines of one plot, in order. */
export function lineColours(tokens: Tokens): string[] {
  return [tokens.flow, tokens.venous, tokens.arterial];
}

/** A colour with an opacity, for a band. */
export function faint(colour: string, share: number): string {
  const hex = Math.round(share * 255)
    .toString(16)
    .padStart(2, '0');
  return `${colour}${hex}`;
}

function hatch(plot: uPlot, gaps: readonly Gap[], answer: TrendAnswer, colour: string): void {
  const { ctx, bbox } = plot;
  const at = (bin: number): number =>
    plot.valToPos((answer.startWallMs + bin * answer.binMs) / 1000, 'x', true);
  for (const gap of gaps) {
    const left = Math.max(bbox.left, at(gap.from));
    const right = Math.min(bbox.left + bbox.width, at(gap.to));
    if (right <= left) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    const step = HATCH_PX * devicePixelRatio;
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
}

function drawLimits(plot: uPlot, limits: readonly LimitLine[], tokens: Tokens): void {
  const { ctx, bbox } = plot;
  for (const limit of limits) {
    const y = plot.valToPos(limit.value, 'y', true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.save();
    ctx.strokeStyle = limit.changed ? tokens.notice : tokens.soft;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([8 * devicePixelRatio, 6 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

/** A bar from least to greatest for each bin that stands alone. */
function drawIsolated(plot: uPlot, data: PlotData, colours: readonly string[]): void {
  const { ctx } = plot;
  const wide = 3 * devicePixelRatio;
  data.middle.forEach((middle, index) => {
    for (const bin of isolatedBins(middle)) {
      const [low, high, time] = [
        data.low[index]?.[bin] ?? null,
        data.high[index]?.[bin] ?? null,
        data.times[bin],
      ];
      if (low === null || high === null || time === undefined) continue;
      const [top, bottom] = [plot.valToPos(high, 'y', true), plot.valToPos(low, 'y', true)];
      ctx.save();
      ctx.fillStyle = colours[index % colours.length] ?? '';
      const tall = Math.max(wide, bottom - top);
      ctx.fillRect(plot.valToPos(time, 'x', true) - wide / 2, (top + bottom - tall) / 2, wide, tall);
      ctx.restore();
    }
  });
}

/** From the upper edge of each row of marks, in px: a row for each priority, so that none hides another. */
const MARK_ROWS = { high: 0, medium: 7, low: 13, information: 19 } as const;
const MARK_PX = { high: 6, medium: 5, low: 5, information: 4 } as const;

/** A bar from begin to end of each alarm along the upper edge. */
function drawMarks(plot: uPlot, answer: TrendAnswer, tokens: Tokens): void {
  const { ctx, bbox } = plot;
  const endMs = answer.startWallMs + answer.bins * answer.binMs;
  for (const mark of answer.marks) {
    const { priority } = mark;
    const left = Math.max(bbox.left, plot.valToPos(mark.wallMs / 1000, 'x', true));
    const right = Math.min(
      bbox.left + bbox.width,
      plot.valToPos((mark.endWallMs ?? endMs) / 1000, 'x', true),
    );
    if (left > bbox.left + bbox.width || right < bbox.left) continue;
    ctx.save();
    ctx.fillStyle = priority === 'information' ? tokens.soft : tokens[priority].edge;
    const top = bbox.top + MARK_ROWS[priority] * devicePixelRatio;
    ctx.fillRect(
      left,
      top,
      Math.max(3 * devicePixelRatio, right - left),
      MARK_PX[priority] * devicePixelRatio,
    );
    ctx.restore();
  }
}

/** Least and greatest value to be shown: the data, and limits that lie near it. */
export function rangeOf(
  series: readonly TrendSeries[],
  limits: readonly LimitLine[],
): [low: number, high: number] {
  const values = series
    .flatMap((each) => [...each.low, ...each.high])
    .filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (values.length === 0) return [0, 1];
  // Not by spread: 72 h may hold more values than a call takes arguments.
  let low = values.reduce((least, value) => Math.min(least, value), Infinity);
  let high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const [least, most] = [low, high];
  for (const { value } of limits) {
    const distance = Math.max(least - value, value - most, 0);
    if (distance > LIMIT_REACH * Math.max(Math.abs(least), Math.abs(most), Math.abs(value))) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  // A steady value is a flat line, and not noise as high as the plot.
  const flat = Math.max(Math.abs(high), Math.abs(low)) * 0.1;
  const room = Math.max((high - low) * 0.12, (flat - (high - low)) / 2, 0.5);
  // Room for the marks above what is drawn.
  return [low - room, high + 2.5 * room];
}

/** Makes the plot within an element. */
export function makeChart(target: HTMLElement, options: ChartOptions): uPlot {
  const { answer, series, limits, tokens, language } = options;
  const data = plotData(answer, series);
  const colours = lineColours(tokens);
  const columns: uPlot.AlignedData = [
    data.times,
    ...series.flatMap((_, index) => [
      data.high[index] ?? [],
      data.low[index] ?? [],
      data.middle[index] ?? [],
    ]),
  ];
  const lines = series.flatMap((each, index): uPlot.Series[] => {
    const colour = colours[index % colours.length] ?? tokens.text;
    const edge: uPlot.Series = {
      stroke: faint(colour, 0.5),
      width: 1,
      points: { show: false },
      spanGaps: false,
    };
    return [
      edge,
      edge,
      { label: each.parameter, stroke: colour, width: 2, spanGaps: false, points: { show: false } },
    ];
  });
  const gaps = commonGaps(series, answer.bins);
  const axis = {
    font: FONT,
    stroke: tokens.soft,
    grid: { stroke: tokens.rule, width: 1 },
    ticks: { stroke: tokens.rule },
  };
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: {
          time: true,
          range: [answer.startWallMs / 1000, (answer.startWallMs + answer.bins * answer.binMs) / 1000],
        },
        y: { range: rangeOf(series, limits) },
      },
      axes: [
        { ...axis, size: 26, values: (_, ticks) => ticks.map((tick) => minuteText(language, tick * 1000)) },
        { ...axis, size: AXIS_PX, values: (_, ticks) => ticks.map((tick) => limitNumber(language, tick)) },
      ],
      series: [{}, ...lines],
      bands: series.map((_, index) => ({
        series: [1 + index * 3, 2 + index * 3] as [number, number],
        fill: faint(colours[index % colours.length] ?? tokens.text, 0.28),
      })),
      hooks: {
        drawClear: [(plot) => hatch(plot, gaps, answer, tokens.edge)],
        draw: [
          (plot) => {
            drawIsolated(plot, data, colours);
            drawLimits(plot, limits, tokens);
            drawMarks(plot, answer, tokens);
          },
        ],
      },
    },
    columns,
    target,
  );
}
