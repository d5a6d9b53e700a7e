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
