import DataLoader from 'dataloader';

/**
 * Batched reads that no relation gives. Each domain makes its loaders with {@link Loaders.get}; they live as long as one
 * request, or one event of a stream.
 */
export class Loaders {
  private readonly made = new Map<(...args: never[]) => unknown, unknown>();

  /** The loader that `create` makes, made once. */
  get<C, L>(create: (ctx: C) => L, ctx: C): L {
    const present = this.made.get(create) as L | undefined;
    if (present !== undefined) return present;
    const loader = create(ctx);
    this.made.set(create, loader);
    return loader;
  }
}

/** A loader of objects by their id: one call of `find` for all that are asked for together, null for those it does not give. */
export const loaderById = <T extends { id: string }>(
  find: (ids: string[]) => Promise<T[]>,
): DataLoader<string, T | null> =>
  new DataLoader(async (ids) => {
    const found = new Map((await find([...ids])).map((object) => [object.id, object]));
    return ids.map((id) => found.get(id) ?? null);
  });
