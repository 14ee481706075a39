/** The schema asked about itself: which keys are allowed at a place, and where else a key would be. For hints only. */
import { z } from 'zod';
import type { Path } from './document.ts';

type Any = z.core.$ZodType;

/** The object, record or leaf behind optionals, transforms and lists of alternatives that `value` may choose from. */
function bare(schema: Any, value: unknown): Any {
  if (schema instanceof z.ZodOptional) return bare(schema.unwrap(), value);
  if (schema instanceof z.ZodPipe) return bare(schema.in, value);
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const key = schema.def.discriminator;
    const word = (value as Record<string, unknown> | null | undefined)?.[key];
    const chosen = schema.options.find(
      (option) =>
        option instanceof z.ZodObject && z.safeParse(option.shape[key] as Any, word).success,
    );
    return chosen ?? schema;
  }
  return schema;
}

/** Keys that may stand at `path` of `value`; [] where any key may, or none. */
export function keysAt(schema: Any, value: unknown, path: Path): string[] {
  let at = bare(schema, value);
  let inner = value;
  for (const part of path) {
    inner = (inner as Record<string | number, unknown> | undefined)?.[part];
    if (at instanceof z.ZodObject) {
      const next = at.shape[part] as Any | undefined;
      if (next === undefined) return [];
      at = bare(next, inner);
    } else if (at instanceof z.ZodRecord) at = bare(at.valueType, inner);
    else return [];
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** The kinds of node (`run: …`) that have the setting `key`. */
export function kindsWith(schema: z.ZodObject, key: string): string[] {
  const nodes = bare(schema.shape['nodes'] as Any, undefined);
  const union = nodes instanceof z.ZodRecord ? nodes.valueType : undefined;
  if (!(union instanceof z.ZodDiscriminatedUnion)) return [];
  return union.options.flatMap((option) => {
    if (!(option instanceof z.ZodObject) || !(key in option.shape)) return [];
    const run = option.shape['run'] as Any;
    return run instanceof z.ZodLiteral ? [String(run.value)] : [];
  });
}
