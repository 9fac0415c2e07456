"""The FHIR RESTful API (http://hl7.org/fhir/R4/http.html), a module for each interaction."""
