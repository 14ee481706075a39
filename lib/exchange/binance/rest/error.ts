/** Binance's refusals: HTTP 400 with a code and a sentence, `{"code":-1121,"msg":"Invalid symbol."}`. */
export class RestError extends Error {
  readonly code: number;
  readonly status: number;
  constructor(code: number, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
  body(): string {
    return `{"code":${this.code},"msg":${JSON.stringify(this.message)}}`;
  }
}

export const missing = (name: string): RestError =>
  new RestError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);
export const illegal = (name: string, form: string): RestError =>
  new RestError(
    -1100,
    `Illegal characters found in parameter '${name}'; legal range is '${form}'.`,
  );
export const invalidSymbol = (): RestError => new RestError(-1121, 'Invalid symbol.');
export const invalidInterval = (): RestError => new RestError(-1120, 'Invalid interval.');
export const invalidCombination = (): RestError =>
  new RestError(-1128, 'Combination of optional parameters invalid.');
export const invalidValue = (name: string): RestError =>
  new RestError(-1130, `Data sent for parameter '${name}' is not valid.`);
