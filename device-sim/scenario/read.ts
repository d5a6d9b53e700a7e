import { readFile } from 'node:fs/promises';
import { type Document, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { CodedError } from '../../client/errors.ts';
import { type ActionName, type Reference, Scenario, type Step } from './format.ts';
import { keysAt, nearest, type Path, textsWithMeta } from './forms.ts';
import { msOf } from './time.ts';

/** One thing that is wrong with a scenario file. */
interface Problem {
  path: Path;
  message: string;
}

/** A step with its place in time. */
export interface PlannedStep extends Omit<Step, 'at' | 'after'> {
  name: string;
  /** Milliseconds after the start. */
  atMs: number;
  actions: { name: ActionName; argument: unknown }[];
}

/** A scenario that can be run. */
export interface ScenarioPlan extends Omit<Scenario, 'steps' | 'grain'> {
  grainMs: number;
  /** In the order in which they are run. */
  steps: PlannedStep[];
  /** The devices of each group, and each device under its own name. */
  devicesOf: (names: string | readonly string[]) => string[];
  usersOf: (names: string | readonly string[]) => string[];
}

/**
 * Reads a scenario file.
 *
 * @throws CodedError `SCENARIO_UNREADABLE`, `SCENARIO_INVALID`: every problem with file, line, field and what was expected
 */
export async function readScenario(file: string): Promise<ScenarioPlan> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new CodedError('SCENARIO_UNREADABLE', `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
  return parseScenario(text, file);
}

/** @throws CodedError `SCENARIO_INVALID` */
export function parseScenario(text: string, file: string): ScenarioPlan {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined)
    throw invalid([`${file}:${lines.linePos(broken.pos[0]).line}: ${firstLine(broken.message)}`]);
  const say = ({ path, message }: Problem) => {
    const place = offsetOf(document, path);
    const line = place === undefined ? '' : `:${lines.linePos(place).line}`;
    return `${file}${line}: ${path.length === 0 ? 'the file' : fieldOf(path)}: ${message}`;
  };
  const parsed = Scenario.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) throw invalid(parsed.error.issues.flatMap(problemsOf).map(say));
  const problems = [...wrongActions(parsed.data), ...wrongNames(parsed.data)];
  if (problems.length === 0) {
    const { steps, wrong } = order(parsed.data);
    if (wrong.length === 0) return planned(parsed.data, steps);
    problems.push(...wrong);
  }
  throw invalid(problems.map(say));
}

const invalid = (problems: string[]) => new CodedError('SCENARIO_INVALID', problems.join('\n'));

function planned(scenario: Scenario, steps: PlannedStep[]): ScenarioPlan {
  return {
    ...scenario,
    steps,
    grainMs: msOf(scenario.grain),
    devicesOf: expander(scenario.devices),
    usersOf: expander(scenario.users),
  };
}

// ── What zod finds ───────────────────────────────────────────────────────────────────────────────────────────────────────

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path as Path;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(Scenario, path);
      return issue.keys.map((key) => {
        const meant = nearest(key, known);
        const hint = meant === undefined ? `it has ${known.join(', ')}` : `did you mean "${meant}"?`;
        return { path: [...path, key], message: `there is no such field; ${hint}` };
      });
    }
    case 'invalid_union': {
      // What the value nearly is says more than that it is nothing of several things.
      const nested = issue.errors.flat().map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
      const deepest = nested.filter((inner) => inner.path.length > path.length);
      const chosen = deepest.length > 0 ? deepest : nested;
      const [first] = chosen.flatMap(problemsOf);
      if (deepest.length > 0 && first !== undefined) return [first];
      return [{ path, message: [...new Set(chosen.flatMap(problemsOf).map(({ message }) => message))].join(', or ') }];
    }
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path, message: `expected ${message}` }));
    case 'invalid_type':
      return [{ path, message: `expected ${WORDS[issue.expected] ?? issue.expected}` }];
    case 'invalid_value':
      return [{ path, message: `expected ${issue.values.map((value) => String(value)).join(' or ')}` }];
    default: {
      const text = issue.message.replace(/^(?:Invalid input: )?/, '');
      return [{ path, message: /^[A-Z]/.test(text) ? text : `expected ${text}` }];
    }
  }
}

const WORDS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of fields',
  record: 'a map of names',
};

/** `steps[2].do[0].connect` */
const fieldOf = (path: Path) =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`)).join('');

/** Where a field stands in the text: its key, its value, or what is nearest around it. */
function offsetOf(document: Document, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const last = path[length - 1];
    const parent: unknown = document.getIn(path.slice(0, Math.max(0, length - 1)), true);
    let found: number | undefined;
    if (length > 0 && isNode(parent)) {
      visit(parent, {
        Pair: (_key, pair) => {
          if (isScalar(pair.key) && String(pair.key.value) === String(last)) found ??= pair.key.range?.[0];
          return visit.SKIP;
        },
      });
    }
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (found === undefined && isNode(node) && !isPair(node)) found = node.range?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

const firstLine = (text: string) => text.split('\n')[0] ?? text;

// ── What only the whole file shows ───────────────────────────────────────────────────────────────────────────────────────

/** Each element of `do` is one action. */
function wrongActions({ steps }: Scenario): Problem[] {
  return steps.flatMap((step, index) =>
    step.do.flatMap((action, place) => {
      const names = Object.keys(action);
      if (names.length === 1) return [];
      const path = ['steps', index, 'do', place];
      return [{ path, message: `expected one action, not ${names.length === 0 ? 'none' : names.join(' and ')}` }];
    }),
  );
}

function wrongNames(scenario: Scenario): Problem[] {
  const stepNames = scenario.steps.flatMap((step) => step.name ?? []);
  const known: Record<Reference, string[]> = {
    device: allNames(scenario.devices),
    'one device': singleNames(scenario.devices),
    user: [...allNames(scenario.users), ...engineersOf(scenario)],
    'one user': [...singleNames(scenario.users), ...engineersOf(scenario)],
    group: Object.keys(scenario.groups),
    step: stepNames,
  };
  const problems = textsWithMeta(Scenario, scenario).flatMap(({ text, path, meta }): Problem[] => {
    const reference = meta.refersTo as Reference | undefined;
    if (reference === undefined || known[reference].includes(text)) return [];
    const meant = nearest(text, known[reference]);
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    return [
      {
        path,
        message: `expected ${reference.includes(' ') ? '' : 'a '}${reference}, but there is no "${text}"${hint}`,
      },
    ];
  });
  for (const [index, step] of scenario.steps.entries()) {
    if (step.name === undefined || stepNames.indexOf(step.name) === stepNames.lastIndexOf(step.name)) continue;
    problems.push({
      path: ['steps', index, 'name'],
      message: `expected a name of its own; "${step.name}" is used twice`,
    });
  }
  return problems;
}

/** Support engineers become users of the account (SUP-03). */
const engineersOf = ({ steps }: Scenario): string[] =>
  steps.flatMap((step) => step.do.flatMap((action) => action['grant-support']?.engineer ?? []));

type Group = { count?: number | undefined };

const membersOf = (name: string, { count }: Group): string[] =>
  count === undefined ? [name] : Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);

const singleNames = (groups: Record<string, Group>): string[] =>
  Object.entries(groups).flatMap(([name, group]) => membersOf(name, group));

const allNames = (groups: Record<string, Group>): string[] => [
  ...new Set([...Object.keys(groups), ...singleNames(groups)]),
];

/** The single members that names of groups and of members stand for, each once, in their order. */
function expander(groups: Record<string, Group>): (names: string | readonly string[]) => string[] {
  return (names) => {
    const found = [names].flat().flatMap((name) => {
      const group = groups[name];
      return group === undefined ? [name] : membersOf(name, group);
    });
    return [...new Set(found)];
  };
}

/** Puts the steps into the order of their times and of what they come after. */
function order({ steps, grain }: Scenario): { steps: PlannedStep[]; wrong: Problem[] } {
  const grainMs = msOf(grain);
  const wrong: Problem[] = [];
  const named = steps.map((step, index) => ({ ...step, name: step.name ?? `step ${index + 1}`, index }));
  const byName = new Map(named.map((step) => [step.name, step]));
  const before = (index: number) => [steps[index]?.after ?? []].flat();
  const times = new Map<string, number>();

  const timeOf = (step: (typeof named)[number], path: string[]): number => {
    const known = times.get(step.name);
    if (known !== undefined) return known;
    if (path.includes(step.name)) {
      const circle = [...path.slice(path.indexOf(step.name)), step.name].join(' -> ');
      throw new Cycle({ path: ['steps', step.index, 'after'], message: `expected no circle, but it is ${circle}` });
    }
    const earlier = before(step.index).flatMap((name) => byName.get(name) ?? []);
    const previous = named[step.index - 1];
    const following = earlier.length > 0 ? earlier : previous === undefined ? [] : [previous];
    const base = Math.max(0, ...following.map((other) => timeOf(other, [...path, step.name])));
    const text = String(step.at ?? '+0');
    const atMs = text.startsWith('+') ? base + msOf(text.slice(1)) : msOf(text);
    if (earlier.length > 0 && atMs < base)
      wrong.push({
        path: ['steps', step.index, 'at'],
        message: 'expected a time that is not before the steps it comes after',
      });
    if (atMs % grainMs !== 0)
      wrong.push({ path: ['steps', step.index, 'at'], message: `expected a multiple of the grain, ${grain}` });
    times.set(step.name, atMs);
    return atMs;
  };

  try {
    for (const step of named) timeOf(step, []);
  } catch (error) {
    if (!(error instanceof Cycle)) throw error;
    return { steps: [], wrong: [error.problem] };
  }
  const waiting = [...named].sort((one, other) => timeOf(one, []) - timeOf(other, []) || one.index - other.index);
  const sorted: PlannedStep[] = [];
  const done = new Set<string>();
  while (waiting.length > 0) {
    // Of those whose time is the same, the first one that has nothing to wait for; there is one, as there is no circle.
    const place = waiting.findIndex(({ index }) => before(index).every((name) => done.has(name)));
    const [step] = waiting.splice(Math.max(0, place), 1);
    if (step === undefined) break;
    done.add(step.name);
    sorted.push(plannedStep(step, times.get(step.name) ?? 0));
  }
  return { steps: sorted, wrong };
}

function plannedStep({ at: _at, after: _after, ...step }: Step & { name: string }, atMs: number): PlannedStep {
  const actions = step.do.flatMap((action) =>
    Object.entries(action).map(([name, argument]) => ({ name: name as ActionName, argument: argument as unknown })),
  );
  return { ...step, atMs, actions };
}

/** Steps that come after each other. */
class Cycle extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}
