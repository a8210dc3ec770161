/** The number of a list of services; 0 stands for no restriction. */
export type ServiceListNumber = number;

/** The distinct lists of services that access keys are restricted to: many access keys share few lists. */
export class ServiceLists {
  readonly #lists: { list: readonly string[]; uses: number }[] = [];
  readonly #numbers = new Map<string, ServiceListNumber>();
  readonly #free: ServiceListNumber[] = [];

  /** Counts one more use of the list. */
  numberOf(services: readonly string[] | undefined): ServiceListNumber {
    if (services === undefined) return 0;
    const name = services.join(',');
    const known = this.#numbers.get(name);
    if (known !== undefined) {
      const entry = this.#lists[known - 1];
      if (entry) entry.uses += 1;
      return known;
    }
    const number = this.#free.pop() ?? this.#lists.length + 1;
    this.#lists[number - 1] = { list: [...services], uses: 1 };
    this.#numbers.set(name, number);
    return number;
  }

  /** The list that is shared by all who use it. */
  listOf(number: ServiceListNumber): readonly string[] | undefined {
    return number === 0 ? undefined : this.#lists[number - 1]?.list;
  }

  /** Takes one use back; a list that nobody uses is forgotten. */
  release(number: ServiceListNumber): void {
    const entry = number === 0 ? undefined : this.#lists[number - 1];
    if (!entry) return;
    entry.uses -= 1;
    if (entry.uses > 0) return;
    this.#numbers.delete(entry.list.join(','));
    entry.list = [];
    this.#free.push(number);
  }

  clear(): void {
    this.#lists.length = 0;
    this.#numbers.clear();
    this.#free.length = 0;
  }
}
