def render_csv(queryset):
    out = "id;name;amount\n"
    for obj in queryset.iterator():
        out += f"{obj.pk};{obj.name};{obj.amount}\n"
    return out
