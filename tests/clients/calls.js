// Calls of fhir-kit-client and of the SMART client beyond those of the page: one JSON object,
// the name of each call and "done" or the status of its refusal.
import FHIR from "fhirclient";
import { Client } from "fhir-kit-client";

const base = process.argv.at(-1);
const kit = new Client({ baseUrl: base });
const smart = new FHIR.FhirClient(base);
const found = {};

async function call(name, work) {
  try {
    found[name] = (await work()) ? "done" : "nothing came";
  } catch (error) {
    found[name] = error.response?.status ?? error.status ?? String(error);
  }
}

const body = { resourceType: "Patient", name: [{ family: "Chan" }] };
const patient = await kit.create({ resourceType: "Patient", body });
const at = { resourceType: "Patient", id: patient.id };
const weight = await kit.create({
  resourceType: "Observation",
  body: {
    resourceType: "Observation",
    status: "final",
    code: { coding: [{ system: "http://loinc.org", code: "29463-7" }] },
    subject: { reference: `Patient/${patient.id}` },
  },
});

const request = { method: "GET", url: `Patient/${patient.id}` };
await call("kit: capabilityStatement", () => kit.capabilityStatement());
await call("kit: vread", () => kit.vread({ ...at, version: "1" }));
await call("kit: resolve", () => kit.resolve({ reference: weight.subject.reference }));
await call("kit: update", () => kit.update({ ...at, body: { ...patient, gender: "male" } }));
await call("kit: conditional update", () =>
  kit.update({
    resourceType: "Patient",
    searchParams: { family: "Chan" },
    body: { ...body, id: patient.id },
  }),
);
await call("kit: batch", () =>
  kit.batch({ body: { resourceType: "Bundle", type: "batch", entry: [{ request }] } }),
);
await call("kit: compartmentSearch", async () => {
  const bundle = await kit.compartmentSearch({ resourceType: "Observation", compartment: at });
  return bundle.entry[0].resource.id === weight.id;
});
await call("kit: search by POST", async () => {
  const searchParams = { family: "Chan", _lastUpdated: ["ge2020", "lt2100"] };
  const bundle = await kit.resourceSearch({
    resourceType: "Patient",
    searchParams,
    options: { postSearch: true },
  });
  return bundle.entry.length === 1;
});
await call("kit: systemSearch", async () => {
  const bundle = await kit.systemSearch({ searchParams: { _type: "Patient,Observation" } });
  return bundle.entry.length === 2;
});
await call("kit: systemSearch by POST", () =>
  kit.systemSearch({ searchParams: { _type: "Patient" }, options: { postSearch: true } }),
);
await call("kit: search with include", async () => {
  const searchParams = { patient: patient.id, _include: "Observation:subject" };
  const bundle = await kit.search({ resourceType: "Observation", searchParams });
  return bundle.entry.map((entry) => entry.search.mode).join() === "match,include";
});
await call("kit: typeHistory", () => kit.typeHistory({ resourceType: "Patient" }));
await call("kit: systemHistory", () => kit.systemHistory());
await call("kit: operation validate", () =>
  kit.operation({ name: "validate", resourceType: "Patient", input: body }),
);
await call("kit: operation everything", async () => {
  const bundle = await kit.operation({ ...at, name: "everything", method: "GET" });
  return bundle.entry.map((entry) => entry.resource.resourceType).join() === "Patient,Observation";
});
await call("kit: read of nothing", () => kit.read({ resourceType: "Patient", id: "nobody" }));

await call("smart: getFhirVersion", async () => (await smart.getFhirVersion()) === "4.0.1");
await call("smart: getFhirRelease", async () => (await smart.getFhirRelease()) === 4);
await call("smart: resources", async () => {
  const ids = [];
  for await (const each of smart.resources("Patient?_count=1")) ids.push(each.id);
  return ids[0] === patient.id;
});
await call("smart: getReferences", () => smart.getReferences(weight, ["subject"]));
await call("smart: update", async () =>
  smart.update(await smart.fhirRequest(`Patient/${patient.id}`)),
);
await call("smart: read of nothing", () => smart.fhirRequest("Patient/nobody"));

console.log(JSON.stringify(found));
