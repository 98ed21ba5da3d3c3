// The live chart of the overview: a bounded window of points on a canvas. The server sends points; what they look like is decided here.
/*! uPlot: Copyright (c) 2025, Leon Sorokin. MIT licence. */
import uPlot from 'uplot';

type Column = (number | null)[];
type Columns = Column[];

interface Line { label: string; colour: string; scale: 'ms' | 's'; unit: string; digits: number; dash?: number[]; width: number; fill?: boolean; }

const length = 15 * 60;
const lines: Line[] = [
  { label: '95 % within', colour: '--accent', scale: 'ms', unit: 'ms', digits: 0, width: 2 },
  { label: 'Half within', colour: '--muted', scale: 'ms', unit: 'ms', digits: 0, width: 1.5, dash: [5, 4] },
  { label: 'Requests', colour: '--operational-fill', scale: 's', unit: 'per s', digits: 1, width: 1, fill: true },
  { label: 'Faults (5xx)', colour: '--major-fill', scale: 's', unit: 'per s', digits: 1, width: 3 },
];
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const exact = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' });

/** Rows that the window holds after some came; rows that do not come after those that are there begin it anew. */
export function bounded(kept: Columns, came: Columns): Columns {
  const times = kept[0] ?? [];
  const rewound = times.length > 0 && came[0].length > 0 && came[0][0]! <= times[times.length - 1]!;
  const all = came.map((column, i) => rewound ? column : (kept[i] ?? []).concat(column));
  const from = all[0].length ? all[0][all[0].length - 1]! - length : 0;
  const first = all[0].findIndex(t => t! >= from);
  return first > 0 ? all.map(column => column.slice(first)) : all;
}

class LiveChart {
  private data: Columns;
  private readonly plot: uPlot;
  private readonly legend: HTMLElement;
  private readonly values: HTMLElement[] = [];
  private readonly when: HTMLElement;
  private readonly left = new AbortController();
  private readonly sizes: ResizeObserver;
  private readonly themes: MutationObserver;
  private colours: Record<string, string> = {};
  private drawn = 0;

  constructor(private readonly box: HTMLElement, columns: Columns) {
    this.data = bounded([], columns);
    this.readColours();
    this.legend = element('div', 'live-legend');
    this.legend.setAttribute('role', 'group');
    this.legend.setAttribute('aria-label', 'Lines of the chart');
    lines.forEach((line, i) => this.legend.append(this.toggle(line, i + 1)));
    this.when = element('small', 'muted live-when');
    this.legend.append(this.when);
    const canvas = element('div', 'live-canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', 'Response times in milliseconds, requests and faults per second over the last 15 minutes. The table below says the same by minute.');
    box.replaceChildren(this.legend, canvas);
    this.plot = new uPlot(this.options(), this.drawable(), canvas);
    this.sizes = new ResizeObserver(() => this.plot.setSize(this.size()));
    this.sizes.observe(box);
    this.themes = new MutationObserver(() => this.recolour());
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.recolour(), { signal: this.left.signal });
    document.addEventListener('visibilitychange', () => this.draw(), { signal: this.left.signal });
    this.tell();
  }

  append(columns: Columns): void {
    this.data = bounded(this.data, columns);
    // Whoever wants no motion gets a still picture every ten seconds.
    const rest = matchMedia('(prefers-reduced-motion: reduce)').matches ? 10_000 : 0;
    if (performance.now() - this.drawn >= rest) this.draw();
  }

  dispose(): void {
    this.left.abort();
    this.sizes.disconnect();
    this.themes.disconnect();
    this.plot.destroy();
    this.box.replaceChildren();
  }

  private draw(): void {
    if (document.hidden) return;
    this.drawn = performance.now();
    this.plot.setData(this.drawable());
    this.tell();
  }

  /** A line of faults is drawn where there were any, not along the ground for ever. */
  private drawable(): uPlot.AlignedData {
    const faults = this.data[lines.length];
    const drawn = faults.map((value, i) => value || faults[i - 1] || faults[i + 1] ? value : null);
    return [...this.data.slice(0, lines.length), drawn] as uPlot.AlignedData;
  }

  private options(): uPlot.Options {
    const colour = (name: string) => () => this.colours[name];
    const font = `12px ${getComputedStyle(this.box).fontFamily}`;
    const axis = { font, labelFont: font, stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1, size: 4 } };
    return {
      ...this.size(),
      padding: [8, 0, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { time: true, range: () => { const end = this.data[0][this.data[0].length - 1] ?? Date.now() / 1000; return [end - length, end]; } },
        ms: { range: (_, __, max) => [0, Math.max(10, (max ?? 0) * 1.1)] },
        s: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
      },
      axes: [
        { ...axis, size: 28, space: 64, values: (_, splits) => splits.map(s => clock.format(s * 1000)) },
        { ...axis, scale: 'ms', size: 56, values: (_, splits) => splits.map(v => v === 0 ? '0' : v < 1000 ? `${v} ms` : `${v / 1000} s`) },
        { ...axis, scale: 's', side: 1, size: 44, grid: { show: false }, values: (_, splits) => splits.map(v => v === 0 ? '0' : `${v}/s`) },
      ],
      series: [{}, ...lines.map((line): uPlot.Series => ({
        label: line.label, scale: line.scale, stroke: colour(line.colour), width: line.width, dash: line.dash,
        fill: line.fill ? () => `${this.colours[line.colour]}22` : undefined, points: { show: false }, spanGaps: false,
      }))],
      hooks: { setCursor: [() => this.tell()] },
    };
  }

  /** Beside each line's name its value under the pointer, else the last one. */
  private tell(): void {
    const count = this.data[0].length;
    const at = this.plot?.cursor.idx ?? count - 1;
    lines.forEach((line, i) => {
      const value = this.data[i + 1]?.[at];
      write(this.values[i], value == null ? '–' : `${value === 0 ? '0' : value.toFixed(value < 10 ? Math.max(1, line.digits) : line.digits)} ${line.unit}`);
    });
    write(this.when, count === 0 ? 'Nothing was measured yet.' : exact.format(this.data[0][Math.min(at, count - 1)]! * 1000));
  }

  private toggle(line: Line, index: number): HTMLElement {
    const button = element('button', `live-line live-line-${index}`) as HTMLButtonElement;
    button.type = 'button';
    button.setAttribute('aria-pressed', 'true');
    const value = element('b', '');
    value.textContent = '–';
    this.values.push(value);
    button.append(element('i', ''), `${line.label} `, value);
    button.addEventListener('click', () => {
      const show = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(show));
      this.plot.setSeries(index, { show });
    });
    return button;
  }

  private readColours(): void {
    const style = getComputedStyle(document.documentElement);
    for (const name of ['--accent', '--muted', '--operational-fill', '--major-fill', '--line']) this.colours[name] = style.getPropertyValue(name).trim();
  }

  private recolour(): void {
    this.readColours();
    this.plot.redraw(false, true);
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(200, Math.floor(this.box.clientWidth)), height: this.box.clientWidth < 500 ? 200 : 260 };
  }
}

function element(name: string, css: string): HTMLElement {
  const made = document.createElement(name);
  if (css) made.className = css;
  return made;
}

function write(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

const charts = new WeakMap<HTMLElement, LiveChart>();

/** Asked again where the answer was lost: the chart that nobody knows of goes. */
export function open(box: HTMLElement, columns: Columns): LiveChart {
  charts.get(box)?.dispose();
  const chart = new LiveChart(box, columns);
  charts.set(box, chart);
  return chart;
}
