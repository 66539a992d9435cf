/** A run as a command or a program that reads it back from this server, and a model's call to be made again. */

const shell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function asCurl(server: string, run: string, needsKey: boolean): string {
  const key = needsKey ? " \\\n  -H \"x-api-key: $LANGSMITH_API_KEY\"" : "";
  return `curl -s ${shell(`${server}/api/v1/runs/${run}`)}${key}`;
}

export function asPython(server: string, run: string, needsKey: boolean): string {
  const key = needsKey ? "" : ', api_key="anything"';
  return [
    "from langsmith import Client",
    "",
    `client = Client(api_url=${JSON.stringify(server)}${key})`,
    `run = client.read_run(${JSON.stringify(run)})`,
    "print(run.name, run.inputs, run.outputs)",
  ].join("\n");
}
