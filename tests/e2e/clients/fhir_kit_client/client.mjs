// fhir-kit-client against a running hub. BASE, TOKEN and MARK (something no other run has) come from the environment.
import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';

const { BASE, TOKEN, MARK } = process.env;
const client = new Client({ baseUrl: BASE, bearerToken: TOKEN });
const done = (step) => console.log(`done ${step}`);
const LOINC = 'http://loinc.org';

const reading = (patient, value, more = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: LOINC, code: '8867-4' }] },
  subject: { reference: patient },
  effectiveDateTime: '2026-03-01T10:00:00Z',
  valueQuantity: { value, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
  ...more,
});

const refused = async (status, code, act) => {
  const error = await act().then(() => assert.fail(`expected ${status}`), (caught) => caught);
  assert.equal(error.response?.status, status, String(error));
  assert.equal(error.response.data.resourceType, 'OperationOutcome');
  assert.equal(error.response.data.issue[0].code, code);
};

const statement = await client.capabilityStatement();
assert.equal(statement.fhirVersion, '4.0.1');
assert.ok((await client.smartAuthMetadata()).tokenUrl.href.endsWith('/oauth/token'));
done('capabilities');

const patient = await client.create({ resourceType: 'Patient', body: { resourceType: 'Patient', name: [{ family: `Kit${MARK}` }] } });
const consent = await client.create({
  resourceType: 'Consent',
  body: {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: LOINC, code: '59284-0' }] }],
    patient: { reference: `Patient/${patient.id}` },
    dateTime: '2026-01-01',
    policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
    provision: { type: 'permit' },
  },
});
assert.equal(consent.patient.reference, `Patient/${patient.id}`);
done('create-patient-and-consent');

const subject = `Patient/${patient.id}`;
const made = await client.create({ resourceType: 'Observation', body: reading(subject, 71) });
assert.equal(Client.httpFor(made).response.headers.get('etag'), 'W/"1"');
done('create');

const read = await client.read({ resourceType: 'Observation', id: made.id });
assert.deepEqual({ ...read }, { ...made });
done('read');

const updated = await client.update({
  resourceType: 'Observation', id: made.id, body: { ...read, status: 'amended' }, options: { headers: { 'If-Match': 'W/"1"' } },
});
assert.equal(updated.meta.versionId, '2');
done('update');

const first = await client.vread({ resourceType: 'Observation', id: made.id, version: '1' });
assert.equal(first.status, 'final');
done('vread');

const history = await client.history({ resourceType: 'Observation', id: made.id });
assert.deepEqual(history.entry.map((entry) => entry.resource.meta.versionId), ['2', '1']);
done('history');

for (let value = 72; value < 77; value += 1) await client.create({ resourceType: 'Observation', body: reading(subject, value) });
const found = await client.search({ resourceType: 'Observation', searchParams: { patient: patient.id, code: `${LOINC}|8867-4`, _total: 'accurate' } });
assert.equal(found.total, 6);
const posted = await client.search({
  resourceType: 'Observation', searchParams: { patient: patient.id, code: `${LOINC}|8867-4`, _total: 'accurate' }, options: { postSearch: true },
});
assert.equal(posted.total, 6);
done('search');

const ids = new Set();
let pages = 0;
let page = await client.search({ resourceType: 'Observation', searchParams: { patient: patient.id, _count: '2' } });
while (page) {
  pages += 1;
  page.entry.forEach((entry) => ids.add(entry.resource.id));
  page = await client.nextPage({ bundle: page });
}
assert.deepEqual([pages, ids.size], [3, 6]);
done('paging');

const included = await client.search({ resourceType: 'Observation', searchParams: { _id: made.id, _include: 'Observation:subject' } });
assert.deepEqual(included.entry.map((entry) => [entry.resource.resourceType, entry.search.mode]), [['Observation', 'match'], ['Patient', 'include']]);
done('include');

const patched = await client.patch({
  resourceType: 'Observation', id: made.id, jsonPatch: [{ op: 'replace', path: '/status', value: 'corrected' }],
});
assert.deepEqual([patched.status, patched.meta.versionId], ['corrected', '3']);
done('patch');

const identified = reading(subject, 80, { identifier: [{ system: 'urn:kit', value: MARK }] });
const conditional = { headers: { 'If-None-Exist': `identifier=urn:kit|${MARK}` } };
const [once, twice] = [
  await client.create({ resourceType: 'Observation', body: identified, options: conditional }),
  await client.create({ resourceType: 'Observation', body: identified, options: conditional }),
];
assert.equal(once.id, twice.id);
assert.equal(Client.httpFor(twice).response.status, 200);
done('conditional-create');

const answered = await client.transaction({
  body: {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:8f3c1f6e-1111-4000-8000-000000000001',
        resource: { resourceType: 'Patient', name: [{ family: `KitTx${MARK}` }] },
        request: { method: 'POST', url: 'Patient' },
      },
      {
        fullUrl: 'urn:uuid:8f3c1f6e-1111-4000-8000-000000000002',
        resource: reading('urn:uuid:8f3c1f6e-1111-4000-8000-000000000001', 90),
        request: { method: 'POST', url: 'Observation' },
      },
    ],
  },
});
assert.equal(answered.type, 'transaction-response');
const [newPatient, newReading] = answered.entry.map((entry) => entry.response.location.replace(`${BASE}/`, '').split('/').slice(0, 2));
const linked = await client.read({ resourceType: 'Observation', id: newReading[1] });
assert.equal(linked.subject.reference, newPatient.join('/'));
done('transaction');

await client.delete({ resourceType: 'Observation', id: made.id });
done('delete');
await refused(410, 'deleted', () => client.read({ resourceType: 'Observation', id: made.id }));
done('gone');
await refused(404, 'not-found', () => client.read({ resourceType: 'Observation', id: '0'.repeat(22) }));
done('not-found');
await refused(412, 'conflict', () => client.update({
  resourceType: 'Observation', id: once.id, body: { ...once }, options: { headers: { 'If-Match': 'W/"7"' } },
}));
done('stale');
await refused(422, 'required', () => client.create({ resourceType: 'Observation', body: { resourceType: 'Observation', status: 'final' } }))
  .catch(() => refused(400, 'required', () => client.create({ resourceType: 'Observation', body: { resourceType: 'Observation', status: 'final' } })));
done('invalid');
