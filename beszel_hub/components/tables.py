"""The tables of disks and services; an id is made of the system and the name there, so no agent reaches another's."""

import peewee

from beszel_hub.store.tables import InstantField, JsonField, Table


class SmartDevice(Table):
    id = peewee.TextField(primary_key=True)
    system_id = peewee.TextField()
    name = peewee.TextField()
    model = peewee.TextField()
    state = peewee.TextField()
    capacity = peewee.BigIntegerField(null=True)
    temp = peewee.FloatField(null=True)
    firmware = peewee.TextField()
    serial = peewee.TextField()
    type = peewee.TextField()
    hours = peewee.BigIntegerField(null=True)
    cycles = peewee.BigIntegerField(null=True)
    attributes = JsonField()
    updated = InstantField()

    class Meta:
        table_name = "smart_devices"


class SystemdService(Table):
    id = peewee.TextField(primary_key=True)
    system_id = peewee.TextField()
    name = peewee.TextField()
    state = peewee.IntegerField()
    sub = peewee.IntegerField()
    cpu = peewee.FloatField()
    cpu_peak = peewee.FloatField()
    memory = peewee.BigIntegerField()
    mem_peak = peewee.BigIntegerField()
    updated = peewee.BigIntegerField()

    class Meta:
        table_name = "systemd_services"
