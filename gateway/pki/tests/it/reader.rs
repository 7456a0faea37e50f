//! The reader of certificates on bytes that are none, or almost one.

use ecmo_identity::rustls::pki_types::CertificateDer;
use ecmo_identity::rustls::pki_types::pem::PemObject as _;
use ecmo_identity::{Certificate, Identity, Kind};

use super::{authority, id, order};

#[test]
fn no_changed_byte_and_no_cut_of_a_certificate_harms_its_reader() {
    let (authority, _) = authority();
    let identity = Identity::service(Kind::Gateway, id("gateway-a"));
    let signed = authority.sign(&order(identity.clone())).unwrap();
    let der = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap().to_vec();
    let whole = Certificate::read(&der).unwrap();
    assert_eq!(Identity::of(&whole), Ok(Some(identity)));
    assert_eq!(whole.hosts, ["127.0.0.1", "broker-a"]);
    for length in 0..der.len() {
        assert_eq!(Certificate::read(&der[..length]), None, "cut after {length} bytes");
    }
    let mut read = 0;
    for place in 0..der.len() {
        for value in [0x00, 0x7f, 0x80, 0x84, 0xff, der[place] ^ 1] {
            let mut changed = der.clone();
            changed[place] = value;
            if let Some(certificate) = Certificate::read(&changed) {
                let _anything_but_a_panic = Identity::of(&certificate);
                read += 1;
            }
        }
    }
    // Most of it is key and signature, which TLS looks at.
    assert!(read > der.len(), "{read}");
}
