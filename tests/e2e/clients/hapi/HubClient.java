import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.Constants;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SearchTotalModeEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.*;

/** The HAPI FHIR client against a running hub. BASE, TOKEN and MARK (something no other run has) come from the environment. */
public class HubClient {
  static final String LOINC = "http://loinc.org";

  static void done(String step) {
    System.out.println("done " + step);
  }

  static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  static Observation reading(String patient, int value) {
    Observation made = new Observation();
    made.setStatus(Observation.ObservationStatus.FINAL);
    made.getCode().addCoding().setSystem(LOINC).setCode("8867-4");
    made.setSubject(new Reference(patient));
    made.setEffective(new DateTimeType("2026-03-01T10:00:00Z"));
    made.setValue(new Quantity().setValue(new BigDecimal(value)).setUnit("/min").setSystem("http://unitsofmeasure.org").setCode("/min"));
    return made;
  }

  static <E extends BaseServerResponseException> void refused(Class<E> kind, int status, Runnable act) {
    try {
      act.run();
    } catch (BaseServerResponseException error) {
      check(kind.isInstance(error) && error.getStatusCode() == status, error.toString());
      check(error.getOperationOutcome() instanceof OperationOutcome, "no OperationOutcome in " + error);
      return;
    }
    throw new AssertionError("expected " + status);
  }

  public static void main(String[] arguments) {
    String base = System.getenv("BASE");
    String mark = System.getenv("MARK");
    FhirContext context = FhirContext.forR4();
    context.getRestfulClientFactory().setSocketTimeout(60_000);
    IGenericClient client = context.newRestfulGenericClient(base);  // asks /metadata before the first request, as it does by itself
    client.registerInterceptor(new BearerTokenAuthInterceptor(System.getenv("TOKEN")));

    CapabilityStatement statement = client.capabilities().ofType(CapabilityStatement.class).execute();
    check(statement.getFhirVersion().toCode().equals("4.0.1"), "fhirVersion");
    done("capabilities");

    Patient patient = new Patient();
    patient.addName().setFamily("Hapi" + mark);
    IIdType patientId = client.create().resource(patient).execute().getId().toUnqualifiedVersionless();
    Consent consent = new Consent();
    consent.setStatus(Consent.ConsentState.ACTIVE).setPatient(new Reference(patientId)).setDateTimeElement(new DateTimeType("2026-01-01"));
    consent.getScope().addCoding().setSystem("http://terminology.hl7.org/CodeSystem/consentscope").setCode("patient-privacy");
    consent.addCategory().addCoding().setSystem(LOINC).setCode("59284-0");
    consent.getPolicyRule().addCoding().setSystem("http://terminology.hl7.org/CodeSystem/v3-ActCode").setCode("OPTIN");
    consent.getProvision().setType(Consent.ConsentProvisionType.PERMIT);
    check(client.create().resource(consent).execute().getCreated(), "consent");
    done("create-patient-and-consent");

    MethodOutcome made = client.create().resource(reading(patientId.getValue(), 71)).prefer(PreferReturnEnum.REPRESENTATION).execute();
    check(made.getCreated() && made.getId().getVersionIdPart().equals("1"), "create");
    IIdType id = made.getId().toUnqualifiedVersionless();
    done("create");

    Observation read = client.read().resource(Observation.class).withId(id).execute();
    check(read.getValueQuantity().getValue().toPlainString().equals("71"), "read");
    done("read");

    read.setStatus(Observation.ObservationStatus.AMENDED);
    check(client.update().resource(read).execute().getId().getVersionIdPart().equals("2"), "update");
    done("update");

    Observation first = client.read().resource(Observation.class).withIdAndVersion(id.getIdPart(), "1").execute();
    check(first.getStatus() == Observation.ObservationStatus.FINAL, "vread");
    done("vread");

    Bundle history = client.history().onInstance(id).returnBundle(Bundle.class).execute();
    check(history.getEntry().size() == 2, "history");
    done("history");

    for (int value = 72; value < 77; value++) {
      client.create().resource(reading(patientId.getValue(), value)).execute();
    }
    Bundle found = client.search().forResource(Observation.class)
        .where(Observation.PATIENT.hasId(patientId)).and(Observation.CODE.exactly().systemAndCode(LOINC, "8867-4"))
        .and(Observation.DATE.afterOrEquals().day("2026-03-01"))
        .totalMode(SearchTotalModeEnum.ACCURATE).returnBundle(Bundle.class).execute();
    check(found.getTotal() == 6 && found.getEntry().size() == 6, "search " + found.getTotal());
    done("search");

    Set<String> ids = new HashSet<>();
    int pages = 1;
    Bundle page = client.search().forResource(Observation.class).where(Observation.PATIENT.hasId(patientId)).count(2).returnBundle(Bundle.class).execute();
    page.getEntry().forEach(entry -> ids.add(entry.getResource().getIdElement().getIdPart()));
    while (page.getLink(Bundle.LINK_NEXT) != null) {
      page = client.loadPage().next(page).execute();
      page.getEntry().forEach(entry -> ids.add(entry.getResource().getIdElement().getIdPart()));
      pages++;
    }
    check(pages == 3 && ids.size() == 6, "paging " + pages + " " + ids.size());
    done("paging");

    Bundle included = client.search().forResource(Observation.class).where(Observation.RES_ID.exactly().code(id.getIdPart()))
        .include(Observation.INCLUDE_SUBJECT).returnBundle(Bundle.class).execute();
    check(included.getEntry().size() == 2 && included.getEntry().get(1).getResource() instanceof Patient, "include");
    done("include");

    Parameters patch = new Parameters();
    Parameters.ParametersParameterComponent operation = patch.addParameter().setName("operation");
    operation.addPart().setName("type").setValue(new CodeType("replace"));
    operation.addPart().setName("path").setValue(new StringType("Observation.status"));
    operation.addPart().setName("value").setValue(new CodeType("corrected"));
    check(client.patch().withFhirPatch(patch).withId(id).execute().getId().getVersionIdPart().equals("3"), "fhirpath patch");
    client.patch().withBody("[{\"op\": \"replace\", \"path\": \"/status\", \"value\": \"amended\"}]").withId(id).execute();
    Observation patched = client.read().resource(Observation.class).withId(id).execute();
    check(patched.getStatus() == Observation.ObservationStatus.AMENDED && patched.getMeta().getVersionId().equals("4"), "json patch");
    done("patch");

    Observation identified = reading(patientId.getValue(), 80);
    identified.addIdentifier().setSystem("urn:hapi").setValue(mark);
    MethodOutcome once = client.create().resource(identified).conditional().where(Observation.IDENTIFIER.exactly().systemAndIdentifier("urn:hapi", mark)).execute();
    MethodOutcome twice = client.create().resource(identified).conditional().where(Observation.IDENTIFIER.exactly().systemAndIdentifier("urn:hapi", mark)).execute();
    check(once.getId().getIdPart().equals(twice.getId().getIdPart()), "conditional create");
    check(!Boolean.TRUE.equals(twice.getCreated()), "created twice");
    done("conditional-create");

    Bundle transaction = new Bundle();
    transaction.setType(Bundle.BundleType.TRANSACTION);
    Patient second = new Patient();
    second.addName().setFamily("HapiTx" + mark);
    String urn = IdType.newRandomUuid().getValue();
    transaction.addEntry().setFullUrl(urn).setResource(second).getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Patient");
    transaction.addEntry().setFullUrl(IdType.newRandomUuid().getValue()).setResource(reading(urn, 90)).getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Observation");
    List<Bundle.BundleEntryComponent> answered = client.transaction().withBundle(transaction).execute().getEntry();
    IdType newPatient = new IdType(answered.get(0).getResponse().getLocation());
    IdType newReading = new IdType(answered.get(1).getResponse().getLocation());
    Observation linked = client.read().resource(Observation.class).withId(newReading.getIdPart()).execute();
    check(linked.getSubject().getReferenceElement().getIdPart().equals(newPatient.getIdPart()), "transaction");
    done("transaction");

    client.delete().resourceById(id).execute();
    done("delete");
    refused(ResourceGoneException.class, Constants.STATUS_HTTP_410_GONE, () -> client.read().resource(Observation.class).withId(id).execute());
    done("gone");
    refused(ResourceNotFoundException.class, 404, () -> client.read().resource(Observation.class).withId("0".repeat(22)).execute());
    done("not-found");
    Observation stale = reading(patientId.getValue(), 81);
    stale.setId(once.getId().toUnqualifiedVersionless().withVersion("7"));
    refused(PreconditionFailedException.class, 412, () -> client.update().resource(stale).withAdditionalHeader("If-Match", "W/\"7\"").execute());
    done("stale");
    Observation invalid = reading(patientId.getValue(), 82);
    invalid.setCode(null);
    try {
      client.create().resource(invalid).execute();
      throw new AssertionError("expected 400 or 422");
    } catch (BaseServerResponseException error) {
      check(error.getStatusCode() == 400 || error.getStatusCode() == 422, error.toString());
      check(((OperationOutcome) error.getOperationOutcome()).getIssueFirstRep().getCode() == OperationOutcome.IssueType.REQUIRED, error.toString());
    }
    done("invalid");
  }
}
