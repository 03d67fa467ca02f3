/** A template that is wrong, or that does not fit the data; the message has the line. */
export class TemplateError extends Error {
  constructor(line: number, message: string) {
    super(`template: get:${String(line)}: ${message}`);
    this.name = 'TemplateError';
  }
}
