import { getNamedType, isEnumType, isInputObjectType, isInterfaceType, isLeafType, isObjectType } from 'graphql';
import { expect, it } from 'vitest';
import { simulationSchema as schema } from './schema.ts';

it('says of every type, field, argument and enum value what it is', () => {
  const silent: string[] = [];
  const look = (path: string, { description }: { description?: string | null | undefined }) => {
    if (!description?.trim()) silent.push(path);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    look(type.name, type);
    if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields())) look(`${type.name}.${field.name}`, field);
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field);
      for (const argument of field.args) look(`${type.name}.${field.name}(${argument.name})`, argument);
    }
  }
  expect(silent).toEqual([]);
});

it('AUTH-22 PWD-22 no answer carries a password or a hash: a client that remembers credentials does so by itself', () => {
  const telling: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()))
      if (/password|hash|credential/i.test(field.name) && isLeafType(getNamedType(field.type)))
        telling.push(`${type.name}.${field.name}: ${field.type}`);
  }
  // Of these, dates, flags and settings of the policy; none is the password itself.
  expect(telling.filter((field) => /: \[?String/.test(field))).toEqual([]);
  expect(telling).toContain('User.passwordExpiresAt: DateTime');
});
