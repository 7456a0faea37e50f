//! Buf's rules that matter most, held without Buf: every item has a comment, enums are named so that a receiver is safe.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use protox::prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};

use crate::generation;

// Field numbers of descriptor.proto, from which the paths of source locations are made.
const FILE_MESSAGE: i32 = 4;
const FILE_ENUM: i32 = 5;
const FILE_SERVICE: i32 = 6;
const MESSAGE_FIELD: i32 = 2;
const MESSAGE_NESTED: i32 = 3;
const MESSAGE_ENUM: i32 = 4;
const MESSAGE_ONEOF: i32 = 8;
const ENUM_VALUE: i32 = 2;
const SERVICE_METHOD: i32 = 2;

/// What one file does wrong, and which of its items have a comment.
struct Findings {
    commented: BTreeSet<Vec<i32>>,
    items: usize,
    wrong: Vec<String>,
}

impl Findings {
    fn item(&mut self, path: &[i32], name: &str) {
        self.items += 1;
        if !self.commented.contains(path) {
            self.wrong.push(format!(
                "{name}: has no comment; say what it is, its unit and what absence means"
            ));
        }
    }
}

/// Everything wrong in a set of files, and the number of items looked at.
fn check(set: &FileDescriptorSet) -> (usize, Vec<String>) {
    let mut items = 0;
    let mut wrong = Vec::new();
    for file in &set.file {
        let mut findings = Findings { commented: commented(file), items: 0, wrong: Vec::new() };
        for (index, message) in (0..).zip(&file.message_type) {
            check_message(&mut findings, &[FILE_MESSAGE, index], message);
        }
        for (index, each) in (0..).zip(&file.enum_type) {
            check_enum(&mut findings, &[FILE_ENUM, index], each);
        }
        for (index, service) in (0..).zip(&file.service) {
            check_service(&mut findings, &[FILE_SERVICE, index], service);
        }
        items += findings.items;
        wrong.extend(findings.wrong.into_iter().map(|text| format!("{}: {text}", file.name())));
    }
    (items, wrong)
}

fn commented(file: &FileDescriptorProto) -> BTreeSet<Vec<i32>> {
    let info = file.source_code_info.as_ref().expect("the compiler keeps comments");
    info.location
        .iter()
        .filter(|location| !location.leading_comments().trim().is_empty())
        .map(|location| location.path.clone())
        .collect()
}

fn check_message(findings: &mut Findings, path: &[i32], message: &DescriptorProto) {
    findings.item(path, message.name());
    for (index, field) in (0..).zip(&message.field) {
        let name = format!("{}.{}", message.name(), field.name());
        findings.item(&[path, &[MESSAGE_FIELD, index]].concat(), &name);
    }
    for (index, oneof) in (0..).zip(&message.oneof_decl) {
        // The compiler makes a oneof of each `optional` field; nobody wrote it, nobody can comment it.
        let written = message
            .field
            .iter()
            .any(|field| field.oneof_index == Some(index) && !field.proto3_optional());
        if written {
            let name = format!("{}.{}", message.name(), oneof.name());
            findings.item(&[path, &[MESSAGE_ONEOF, index]].concat(), &name);
        }
    }
    for (index, nested) in (0..).zip(&message.nested_type) {
        check_message(findings, &[path, &[MESSAGE_NESTED, index]].concat(), nested);
    }
    for (index, nested) in (0..).zip(&message.enum_type) {
        check_enum(findings, &[path, &[MESSAGE_ENUM, index]].concat(), nested);
    }
}

fn check_enum(findings: &mut Findings, path: &[i32], each: &EnumDescriptorProto) {
    findings.item(path, each.name());
    let prefix = format!("{}_", upper_snake(each.name()));
    for (index, value) in (0..).zip(&each.value) {
        let name = format!("{}.{}", each.name(), value.name());
        findings.item(&[path, &[ENUM_VALUE, index]].concat(), &name);
        if !value.name().starts_with(&prefix) {
            findings.wrong.push(format!("{name}: must begin with {prefix}"));
        }
        if (value.number() == 0) != (value.name() == format!("{prefix}UNSPECIFIED")) {
            findings.wrong.push(format!("{name}: value 0, and only it, is {prefix}UNSPECIFIED"));
        }
    }
}

fn check_service(findings: &mut Findings, path: &[i32], service: &ServiceDescriptorProto) {
    findings.item(path, service.name());
    if !service.name().ends_with("Service") {
        findings.wrong.push(format!("{}: must end with Service", service.name()));
    }
    for (index, method) in (0..).zip(&service.method) {
        let name = format!("{}.{}", service.name(), method.name());
        findings.item(&[path, &[SERVICE_METHOD, index]].concat(), &name);
        let request = format!(".ecmo.v1.{}Request", method.name());
        let response = format!(".ecmo.v1.{}Response", method.name());
        if method.input_type() != request || method.output_type() != response {
            findings.wrong.push(format!("{name}: takes {request} and returns {response}"));
        }
    }
}

fn upper_snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

fn compile(name: &str, text: &str) -> FileDescriptorSet {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    protox::compile([&file], [folder]).unwrap()
}

#[test]
fn every_item_of_the_contract_has_a_comment_and_a_safe_name() {
    let files = generation::proto_files().unwrap();
    let set = protox::compile(files, [generation::source_dir()]).unwrap();
    let (items, wrong) = check(&set);
    assert!(items > 150, "only {items} items were found: the check does not see the contract");
    assert!(wrong.is_empty(), "correct these in proto/ecmo/v1:\n{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_item_without_a_comment_is_found() {
    let bare = "syntax = \"proto3\"; package ecmo.v1;
        message DoRequest { optional int32 a = 1; oneof b { int32 c = 2; } message Inner {} enum Deep { DEEP_UNSPECIFIED = 0; } }
        message DoResponse {}
        enum Flat { FLAT_UNSPECIFIED = 0; FLAT_ONE = 1; }
        service DoService { rpc Do(DoRequest) returns (DoResponse); }";
    let (items, wrong) = check(&compile("bare.proto", bare));
    // Request, a, b, c, Inner, Deep and its value, Response, Flat and its two values, the service and its method.
    assert_eq!(items, 13);
    assert_eq!(wrong.len(), items, "{wrong:?}");
}

#[test]
fn every_unsafe_name_is_found() {
    let unsafe_names = "syntax = \"proto3\"; package ecmo.v1;
        // Commented.
        message Empty {}
        // Commented.
        enum LinkState {
            // Commented.
            LINK_STATE_LIVE = 0;
            // Commented.
            SILENT = 1;
        }
        // Commented.
        service Pumps {
            // Commented.
            rpc List(Empty) returns (Empty);
        }";
    let (_, wrong) = check(&compile("names.proto", unsafe_names));
    let expected =
        ["LINK_STATE_LIVE: value 0", "SILENT: must begin", "Pumps: must end", "List: takes"];
    assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
    for (found, expected) in wrong.iter().zip(expected) {
        assert!(found.contains(expected), "{found} does not say {expected}");
    }
}
