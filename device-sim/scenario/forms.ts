import { z } from 'zod';

/** A place in a value: keys and indexes from the root. */
export type Path = readonly (string | number)[];

/** The form without what makes it optional or gives it a default. */
function bare(form: z.core.$ZodType): z.core.$ZodType {
  if (form instanceof z.ZodOptional || form instanceof z.ZodDefault || form instanceof z.ZodPrefault)
    return bare(form.def.innerType);
  return form;
}

/** The forms that a value at `key` inside `form` may have. */
function inside(form: z.core.$ZodType, key: string | number): z.core.$ZodType[] {
  const outer = bare(form);
  if (outer instanceof z.ZodUnion) return outer.options.flatMap((option) => inside(option, key));
  if (outer instanceof z.ZodArray) return typeof key === 'number' ? [outer.element] : [];
  if (outer instanceof z.ZodRecord) return [outer.valueType];
  if (outer instanceof z.ZodObject) {
    const shape: Record<string, z.core.$ZodType> = outer.shape;
    const found = Object.hasOwn(shape, key) ? shape[key] : undefined;
    return found === undefined ? [] : [found];
  }
  return [];
}

/** The keys that a map at `path` inside `form` may have. */
export function keysAt(form: z.core.$ZodType, path: Path): string[] {
  const found = path.reduce<z.core.$ZodType[]>((forms, key) => forms.flatMap((one) => inside(one, key)), [form]);
  return found.flatMap((one) => {
    const outer = bare(one);
    const options = outer instanceof z.ZodUnion ? outer.options : [outer];
    return options.flatMap((option) => (option instanceof z.ZodObject ? Object.keys(option.shape) : []));
  });
}

/** Every text in a value whose form has metadata, with that. */
export function textsWithMeta(
  form: z.core.$ZodType,
  value: unknown,
  path: Path = [],
): { text: string; path: Path; meta: Record<string, unknown> }[] {
  const outer = bare(form);
  if (outer instanceof z.ZodString) {
    const meta = outer.meta();
    return typeof value === 'string' && meta !== undefined ? [{ text: value, path, meta }] : [];
  }
  if (outer instanceof z.ZodUnion) {
    const option = outer.options.find((one) => z.safeParse(one, value).success);
    return option === undefined ? [] : textsWithMeta(option, value, path);
  }
  if (Array.isArray(value))
    return value.flatMap((item, index) =>
      inside(outer, index).flatMap((one) => textsWithMeta(one, item, [...path, index])),
    );
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    inside(outer, key).flatMap((one) => textsWithMeta(one, item, [...path, key])),
  );
}

/** The word of a list that somebody meant who wrote another; undefined when none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const best = words
    .map((candidate) => ({ candidate, edits: editsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((one, other) => one.edits - other.edits)[0];
  return best !== undefined && best.edits <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** How many letters have to be changed, added or taken away (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
