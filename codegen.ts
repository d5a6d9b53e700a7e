import type { CodegenConfig } from '@graphql-codegen/cli';

// Clients of the API in this repository (simulator, demo, tests) take their types from the committed schema, as any
// client elsewhere would; nothing here reads src/.
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['client/**/*.ts', 'device-sim/**/*.ts', 'demo/**/*.ts', 'test/**/*.ts', '!client/gql/**'],
  ignoreNoDocuments: true,
  importExtension: '.ts',
  generates: {
    'client/gql/': {
      preset: 'client',
      // One function, `graphql`, from gql.ts; no masking and no file that only re-exports.
      presetConfig: { fragmentMasking: false, skipIndexFile: true },
      config: {
        // Operations travel as text, so clients need no GraphQL parser.
        documentMode: 'string',
        useTypeImports: true,
        enumType: 'string-literal',
        strictScalars: true,
        scalars: {
          ByteCount: 'number',
          CIDR: 'string',
          Cursor: 'string',
          Date: 'string',
          DateTime: 'string',
          Decimal: 'string',
          Duration: 'string',
          EmailAddress: 'string',
          FirmwareVersion: 'string',
          IPv4: 'string',
          PhoneNumber: 'string',
          SerialNumber: 'string',
          Upload: 'File',
        },
      },
    },
  },
};

export default config;
