//! Empty until captures are made.
