import type { TranslationKeys, ZxcvbnFactory } from '@zxcvbn-ts/core';
import { PASSWORD_MAX_LENGTH } from './policy.ts';

/** What makes a password weak, or would make it stronger; the texts are their descriptions in the schema (PWD-18). */
export const STRENGTH_HINTS = {
  STRAIGHT_ROW: 'Keys that lie in a row of the keyboard are easy to guess.',
  KEYBOARD_PATTERN: 'Short patterns on the keyboard are easy to guess.',
  REPEATED_CHARACTERS: 'Repeated characters, as in `aaa`, are easy to guess.',
  REPEATED_PATTERN: 'Repeated patterns, as in `abcabc`, are hardly harder to guess than one.',
  SEQUENCE: 'Sequences, as in `abc`, are easy to guess.',
  RECENT_YEAR: 'Recent years are easy to guess.',
  DATE: 'Dates are easy to guess.',
  TOP_TEN: 'One of the ten most common passwords.',
  TOP_HUNDRED: 'One of the hundred most common passwords.',
  COMMON: 'A common password.',
  SIMILAR_TO_COMMON: 'Similar to a common password.',
  SINGLE_WORD: 'A single word is easy to guess.',
  SINGLE_NAME: 'A single name is easy to guess.',
  COMMON_NAME: 'Common names are easy to guess.',
  PERSONAL: 'It contains something that is known of the user or of the account.',
  BREACHED: 'It is known from a breach.',
  ADD_WORDS: 'Better: add words that are less common.',
  USE_SEVERAL_WORDS: 'Better: several words, none of them common phrases.',
  NO_NEED_FOR_SYMBOLS: 'Strong passwords need no symbols, digits or capitals.',
  AVOID_PREDICTABLE_SUBSTITUTIONS: 'Better not: `@` for `a` and the like help little.',
  AVOID_REVERSED_WORDS: 'Better not: words written backwards help little.',
  AVOID_ALL_UPPERCASE: 'Better: capitals in some places, not everywhere.',
  CAPITALIZE_MORE: 'Better: capitals beyond the first letter.',
  AVOID_DATES: 'Better not: dates and years that concern the user.',
  AVOID_RECENT_YEARS: 'Better not: recent years.',
  AVOID_PERSONAL_YEARS: 'Better not: years that concern the user.',
  AVOID_SEQUENCES: 'Better not: sequences of characters.',
  AVOID_REPETITION: 'Better not: repeated words and characters.',
  LONGER_KEYBOARD_PATTERN: 'Better: longer keyboard patterns with more turns.',
} as const;
export type StrengthHint = keyof typeof STRENGTH_HINTS;

/** By the keys of the estimator. */
const WARNINGS: Record<keyof TranslationKeys['warnings'], StrengthHint> = {
  straightRow: 'STRAIGHT_ROW',
  keyPattern: 'KEYBOARD_PATTERN',
  simpleRepeat: 'REPEATED_CHARACTERS',
  extendedRepeat: 'REPEATED_PATTERN',
  sequences: 'SEQUENCE',
  recentYears: 'RECENT_YEAR',
  dates: 'DATE',
  topTen: 'TOP_TEN',
  topHundred: 'TOP_HUNDRED',
  common: 'COMMON',
  similarToCommon: 'SIMILAR_TO_COMMON',
  wordByItself: 'SINGLE_WORD',
  namesByThemselves: 'SINGLE_NAME',
  commonNames: 'COMMON_NAME',
  userInputs: 'PERSONAL',
  pwned: 'BREACHED',
};

const SUGGESTIONS: Record<keyof TranslationKeys['suggestions'], StrengthHint> = {
  l33t: 'AVOID_PREDICTABLE_SUBSTITUTIONS',
  reverseWords: 'AVOID_REVERSED_WORDS',
  allUppercase: 'AVOID_ALL_UPPERCASE',
  capitalization: 'CAPITALIZE_MORE',
  dates: 'AVOID_DATES',
  recentYears: 'AVOID_RECENT_YEARS',
  associatedYears: 'AVOID_PERSONAL_YEARS',
  sequences: 'AVOID_SEQUENCES',
  repeated: 'AVOID_REPETITION',
  longerKeyboardPattern: 'LONGER_KEYBOARD_PATTERN',
  anotherWord: 'ADD_WORDS',
  useWords: 'USE_SEVERAL_WORDS',
  noNeed: 'NO_NEED_FOR_SYMBOLS',
  pwned: 'BREACHED',
};

/** How hard a password is to guess. */
export interface Strength {
  /** 0 is guessed at once, 4 takes longer than anybody tries. */
  score: number;
  hints: StrengthHint[];
}

/**
 * PWD-18: estimates a password without storing it. What is beyond the longest password that can be set is not looked at.
 * @param known what others may know of its user: it makes no part of a password strong.
 */
export async function estimateStrength(password: string, known: readonly string[]): Promise<Strength> {
  estimator ??= loadEstimator();
  const looked = [...password].slice(0, PASSWORD_MAX_LENGTH).join('');
  const { score, feedback } = (await estimator).check(looked, [...known]);
  const warning = WARNINGS[feedback.warning as keyof typeof WARNINGS] as StrengthHint | undefined;
  const suggestions = feedback.suggestions.map((key) => SUGGESTIONS[key as keyof typeof SUGGESTIONS]);
  return {
    score,
    hints: [...new Set([warning, ...suggestions].filter((hint) => hint !== undefined))],
  };
}

let estimator: Promise<ZxcvbnFactory> | undefined;

/** Dictionaries of some 60 MB are loaded with the first estimate, and once. */
async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ]);
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    // The default of 100 lets 45 chosen characters keep the processor busy for half a second; with 10 they take 0.05 s.
    l33tMaxSubstitutions: 10,
  });
}
