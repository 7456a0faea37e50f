// One canvas behind all tiles of a screen: where each sweep lies on it is measured from the element that leaves room for it.
import type { Station, Surface, SurfaceLook, SweepHandle, SweepOptions, SweepPlace } from '../work/station';

interface Lain {
  handle: SweepHandle;
  place: SweepPlace;
}

/** Keeps canvas and sweeps where the page has them. */
export class SharedSurface {
  private readonly surface: Surface;
  private readonly lain = new Map<HTMLElement, Lain>();
  private readonly watch = new ResizeObserver(() => {
    this.measure();
  });
  private look: SurfaceLook;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    station: Station,
    private ground: string,
  ) {
    this.look = this.now();
    this.surface = station.attachSurface(canvas.transferControlToOffscreen(), this.look);
    this.watch.observe(canvas);
  }

  /** Draws a sweep where the element is, until the answer's `detach` is called. */
  sweep(element: HTMLElement, options: Omit<SweepOptions, 'place'>): SweepHandle {
    const place = this.placeOf(element);
    const handle = this.surface.sweep({ ...options, place });
    this.lain.set(element, { handle, place });
    this.watch.observe(element);
    return {
      ...handle,
      detach: () => {
        this.watch.unobserve(element);
        this.lain.delete(element);
        handle.detach();
      },
    };
  }

  /** To be called whenever something may have moved; costs nothing when nothing has. */
  measure(): void {
    const now = this.now();
    if (!isSame(now, this.look)) {
      this.look = now;
      this.surface.dress(now);
    }
    for (const [element, lain] of this.lain) {
      const place = this.placeOf(element);
      if (isSame(place, lain.place)) continue;
      lain.place = place;
      lain.handle.move(place);
    }
  }

  /** The colour where no sweep lies. */
  setGround(ground: string): void {
    this.ground = ground;
    this.measure();
  }

  detach(): void {
    this.watch.disconnect();
    this.surface.detach();
  }

  private now(): SurfaceLook {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return { width, height, ratio: devicePixelRatio, ground: this.ground };
  }

  private placeOf(element: HTMLElement): SweepPlace {
    const own = this.canvas.getBoundingClientRect();
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left - own.left, y: top - own.top, width, height };
  }
}

function isSame<T extends object>(one: T, other: T): boolean {
  return Object.entries(one).every(([key, value]) => other[key as keyof T] === value);
}
