// Where each pump stands in the grid: by bed, then by name, when first seen; it never moves by itself.

const collator = new Intl.Collator('en', { numeric: true });

export class Places {
  private readonly byPump = new Map<string, number>();

  /** Places of these pumps; those that are new take the next free places in order of bed and name. */
  of(pumps: readonly { key: string; bed: string }[]): ReadonlyMap<string, number> {
    const fresh = pumps.filter(({ key }) => !this.byPump.has(key));
    // One without a bed comes after those that have one.
    const order = (one: string, other: string): number => {
      return Number(one === '') - Number(other === '') || collator.compare(one, other);
    };
    fresh.sort((one, other) => order(one.bed, other.bed) || collator.compare(one.key, other.key));
    for (const { key } of fresh) this.byPump.set(key, this.byPump.size);
    return this.byPump;
  }
}
