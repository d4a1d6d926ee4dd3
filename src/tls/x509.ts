/** The X.509 library, behind the metadata polyfill that it needs to be loaded first. */
// oxlint-disable-next-line import/no-unassigned-import -- a polyfill has nothing to assign
import "@abraham/reflection";

export {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  GeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
