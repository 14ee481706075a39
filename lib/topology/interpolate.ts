/**
 * Variables in a topology file, with the words of the compose specification:
 *
 *   reference = "$$"                        ; one dollar sign
 *             / "${" name "}"               ; refused when unset: an empty setting is never what was meant
 *             / "${" name ":-" text "}"     ; text when unset or empty
 *             / "${" name ":?" text "}"     ; refused with text when unset or empty
 *   name      = ( ALPHA / "_" ) *( ALPHA / DIGIT / "_" )
 *
 * A value that is one reference and nothing else takes the type of what it becomes, so a port may come from a variable.
 */
export type Interpolated = {
  readonly text: string;
  /** Variables that were looked at, set or not. */
  readonly names: readonly string[];
  /** True when the whole text was one reference. */
  readonly whole: boolean;
};
export type Refused = {
  readonly refused: string;
  readonly hint: string;
  readonly names: readonly string[];
};

const reference = /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^}]*))?\})?/g;

/** Replaces every reference in `text`; `undefined` when it has none. */
export function interpolate(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Interpolated | Refused | undefined {
  if (!text.includes('$')) return undefined;
  const names: string[] = [];
  let refused: Omit<Refused, 'names'> | undefined;
  let whole = false;
  const result = text.replace(
    reference,
    (all: string, name: string | undefined, operator: string | undefined, rest = '') => {
      if (all === '$$') return '$';
      if (name === undefined) {
        refused ??= {
          refused: `"$" must start \${NAME}, \${NAME:-default} or \${NAME:?message}`,
          hint: 'write $$ for a dollar sign',
        };
        return all;
      }
      names.push(name);
      if (all === text) whole = true;
      const value = env[name];
      if (value !== undefined && (value !== '' || operator === undefined)) return value;
      if (operator === ':-') return rest as string;
      const hint = `set it (${name}=… tickmesh up) or give a default: \${${name}:-…}`;
      refused ??=
        operator === ':?'
          ? { refused: `${name} is not set: ${rest || 'it is required'}`, hint }
          : { refused: `${name} is not set`, hint };
      return all;
    },
  );
  return refused ? { ...refused, names } : { text: result, names, whole };
}
