"""What whoever scans a label is answered: pages and linksets of passports, by the profile `public` alone."""
