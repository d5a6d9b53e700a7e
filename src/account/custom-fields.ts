/** The columns of the three custom values that users and Ewons have each (CF-01), in their order. */
export const CUSTOM_COLUMNS = ['custom1', 'custom2', 'custom3'] as const;

export type CustomColumns = Record<(typeof CUSTOM_COLUMNS)[number], string | null>;

/** The values as columns; an empty text is none, and so is what is not given. */
export const customColumns = (values: readonly (string | null | undefined)[] | null | undefined): CustomColumns => ({
  custom1: values?.[0] || null,
  custom2: values?.[1] || null,
  custom3: values?.[2] || null,
});

/** The values of a row, always three. */
export const customValues = ({ custom1, custom2, custom3 }: CustomColumns): (string | null)[] => [
  custom1,
  custom2,
  custom3,
];
