"""What people ask us: inquiries, applications, suppliers' and partners' letters, from arrival to the last answer."""
